//! Output: files that are written at the end.

use crate::args::Inputs;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// Checks that a file can be where it is to be, before a long log is read for it.
///
/// # Errors
/// There is no such folder, or the name is a folder's, or that of a file which is read.
pub fn check(path: &Path, inputs: &Inputs) -> Result<()> {
    if inputs.files.iter().chain(&inputs.schema).any(|file| is_same(file, path)) {
        bail!("{}: it is read, and would be overwritten", path.display());
    }
    check_folder(path)
}

/// Returns whether two names are of one file, which exists.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let [one, other] = [one, other].map(std::fs::canonicalize);
    one.ok().zip(other.ok()).is_some_and(|(one, other)| one == other)
}

fn check_folder(path: &Path) -> Result<()> {
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
            ["none/x.svg", "Cargo.toml/x.svg", "src", "."].map(|path| check_folder(Path::new(path)).is_err());
        assert_eq!(errors, [true; 4]);
        assert!(check_folder(Path::new("x.svg")).is_ok() && check_folder(Path::new("src/x.svg")).is_ok());
    }
}
