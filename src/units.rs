//! stub
#[derive(Clone, Copy)]
/// stub
pub struct Units(u64);
impl Units {
    /// s
    pub fn from_halves(h: u64) -> Self {
        Self(h)
    }

    /// s
    pub fn halves(self) -> u64 {
        self.0
    }
}
impl std::fmt::Display for Units {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.0 / 2, if self.0 % 2 == 1 { ".5" } else { "" })
    }
}
