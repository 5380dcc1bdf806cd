import validateLinks from 'remark-validate-links';

// By itself it would ask git for a remote, whose pages it would know.
export default { plugins: [[validateLinks, { repository: false }]] };
