//! The keys that are recorded.

pub const TABLE: &[u8] = b"orders";
pub const PK_LEN: usize = 20;

/// `customer#00000000042`.
pub fn pk(number: usize) -> [u8; PK_LEN] {
    let mut pk = *b"customer#00000000000";
    let mut rest = number;
    for digit in pk.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    pk
}
