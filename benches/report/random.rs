//! Numbers that look random.

/// Pseudorandom numbers, the same each time (a Weyl sequence, mixed by multiplication).
pub struct Random(pub u64);

impl Random {
    /// Uniform in `0..bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(mixed ^ (mixed >> 29)) * bound as u128) >> 64) as usize
    }
}
