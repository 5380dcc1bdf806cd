// The same objects as CommonJS has.
export * from './cloudwatch.js';
