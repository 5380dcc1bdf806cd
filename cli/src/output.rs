//! Output: files that are written at the end.

use anyhow::{Context, Result, bail};
use std::path::Path;

/// Checks that a file can be where it is to be, before a long log is read for it.
///
/// # Errors
/// There is no such folder, or the name is a folder's.
pub fn check(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let about = folder.metadata().with_context(|| format!("{}: its folder", path.display()))?;
    if !about.is_dir() || path.is_dir() {
        bail!("{}: no file can be written there", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_needs_a_folder() {
        let errors =
            ["none/x.svg", "Cargo.toml/x.svg", "src", "."].map(|path| check(Path::new(path)).is_err());
        assert_eq!(errors, [true; 4]);
        assert!(check(Path::new("x.svg")).is_ok() && check(Path::new("src/x.svg")).is_ok());
    }
}
