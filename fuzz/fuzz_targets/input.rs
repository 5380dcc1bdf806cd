//! Makes of the bytes that a target is given numbers and texts, from the front; nothing but zeros
//! after the end.

pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub fn bytes(&mut self, n: usize) -> &'a [u8] {
        let (taken, left) = self.0.split_at(n.min(self.0.len()));
        self.0 = left;
        taken
    }

    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number below `end`, which is at most 256.
    pub fn below(&mut self, end: usize) -> usize {
        self.byte() as usize % end
    }

    /// Any number; small ones and those near the edges of types come often.
    pub fn number(&mut self) -> u64 {
        let byte = u64::from(self.byte());
        match byte {
            0..192 => byte,
            192..224 => (1_u64 << (2 * (byte - 192))).wrapping_add(self.byte().into()).wrapping_sub(128),
            _ => {
                let mut all = [0; 8];
                let some = self.bytes(1 + byte as usize % 8);
                all[..some.len()].copy_from_slice(some);
                u64::from_le_bytes(all)
            }
        }
    }

    /// One of `all`.
    pub fn one<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}
