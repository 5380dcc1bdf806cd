//! Requests and answers, one exchange after the other, each of four lines: operation, status,
//! request, answer (an empty line: none). Nothing panics; what is refused changes nothing; and it
//! is all the same by which function an exchange is observed.
#![no_main]

mod watched;

use libfuzzer_sys::fuzz_target;
use watched::Watched;

fuzz_target!(|bytes: &[u8]| {
    let capacity = bytes.len() % 2 == 1;
    let [plain, full, due] = [(); 3].map(|()| Watched::new(capacity));
    let mut lines = bytes.split(|&byte| byte == b'\n');
    while let Some(operation) = lines.next() {
        let mut line = || lines.next().unwrap_or_default();
        let status = std::str::from_utf8(line()).ok().and_then(|status| status.parse().ok()).unwrap_or(200);
        let (request, response) = (line(), line());
        let actions = plain.observe(operation, status, request, response);
        assert_eq!(full.observe_full(operation, status, request, response), actions);
        assert_eq!(plain.shown(), full.shown());
        // Its texts end at a NUL, which JSON does not have; but not every answer is read.
        if [operation, request, response].iter().any(|text| text.contains(&0)) {
            return;
        }
        assert_eq!(due.observe_due(operation, status, request, response), actions);
        assert_eq!(plain.shown(), due.shown());
    }
});
