//! Where programs are: servers live outside many people's PATH.

use std::path::{Path, PathBuf};

/// The first of `names` that is on PATH or in one of Debian's usual places.
pub fn program(names: &[&str]) -> Option<PathBuf> {
    let folders = folders();
    names.iter().find_map(|name| {
        folders.iter().map(|folder| folder.join(name)).find(|path| is_executable(path))
    })
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    folders
        .extend(["/usr/local/bin", "/usr/sbin", "/usr/bin", "/usr/lib/dovecot"].map(PathBuf::from));
    folders.extend(postgres_folders());
    folders
}

/// Debian keeps `initdb` and its kin out of PATH, one folder a version; the newest comes first.
fn postgres_folders() -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    found.sort_unstable_by(|left, right| right.cmp(left));
    found.into_iter().map(|(_, path)| path).collect()
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}
