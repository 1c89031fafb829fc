//! The one writer of files. A file under its final name is whole, whatever happens meanwhile: a full disk, a signal, a
//! loss of power, or another process that writes to the same place.
//!
//! A file is written under a temporary name in its folder, synced, and then renamed in one step. Both the data and the
//! folder's new entry are on disk before the file is reported as written.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// Prefix of temporary names; the process id and random letters follow.
const PREFIX: &str = ".ctfast-";
/// Their suffix. Nothing that reads an archive reads files with such names.
const SUFFIX: &str = ".part";
/// Random letters.
const LETTERS: usize = 16;
/// Permissions of a new file, before the umask is applied.
const MODE: u32 = 0o666;
/// "File exists" and "Is a directory", as every Unix numbers them.
const EEXIST: i32 = 17;
const EISDIR: i32 = 21;

/// What happens if a file of the same name exists at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It is replaced in one step, and its permissions are kept.
    Replace,
    /// It stays, and the new one fails.
    Keep,
}

/// A file that gets its name by [`Self::finish`]. If it is dropped before, nothing is left.
#[derive(Debug)]
pub struct NewFile {
    temporary: Option<NamedTempFile>,
    /// Opened first, so that a folder that cannot be synced fails before the work and not after it.
    folder: File,
    path: PathBuf,
    existing: Existing,
    permissions: Option<Permissions>,
    process: u32,
}

impl NewFile {
    /// Starts a file that will have this name. A link of that name will be replaced, not followed.
    pub(super) fn create(path: &Path, existing: Existing) -> io::Result<Self> {
        let permissions = match fs::symlink_metadata(path) {
            Ok(_) if existing == Existing::Keep => return Err(io::Error::from_raw_os_error(EEXIST)),
            Ok(found) if found.is_dir() => return Err(io::Error::from_raw_os_error(EISDIR)),
            Ok(found) if found.is_file() => Some(Permissions::from_mode(found.mode() & 0o777)),
            Ok(found) if found.is_symlink() => None,
            Ok(_) => return Err(io::Error::other("a device or a pipe, and no file that could be replaced")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let parent = parent(path);
        let folder = File::open(parent)?;
        let mode = permissions.as_ref().map_or(MODE, PermissionsExt::mode);
        let temporary = Some(temporary(parent, mode)?);
        Ok(Self { temporary, folder, path: path.to_owned(), existing, permissions, process: std::process::id() })
    }

    /// The file to write to.
    ///
    /// # Panics
    ///
    /// Never: a finished file is gone.
    pub fn as_file_mut(&mut self) -> &mut File {
        self.temporary.as_mut().expect("a file that is not finished").as_file_mut()
    }

    /// Renames the file once all of it is on disk. When this returns, a loss of power can undo neither.
    pub fn finish(mut self) -> io::Result<()> {
        let Some(temporary) = self.temporary.take() else { return Ok(()) };
        if let Some(permissions) = self.permissions.take() {
            temporary.as_file().set_permissions(permissions)?;
        }
        temporary.as_file().sync_all()?;
        let named = match self.existing {
            Existing::Replace => temporary.persist(&self.path),
            Existing::Keep => temporary.persist_noclobber(&self.path),
        };
        named.map_err(|refused| refused.error)?;
        synced(&self.folder)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // A forked process leaves its parent's file alone.
        if self.process != std::process::id() {
            std::mem::forget(self.temporary.take());
        }
    }
}

/// A new file that is exclusively ours, locked while it is open: the lock tells it from one of a dead process.
fn temporary(folder: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let prefix = format!("{PREFIX}{}-", std::process::id());
    loop {
        let mut options = OpenOptions::new();
        // Exclusively: a file or link that someone else put there is never opened.
        options.read(true).write(true).create_new(true).mode(mode);
        let found = Builder::new()
            .prefix(&prefix)
            .suffix(SUFFIX)
            .rand_bytes(LETTERS)
            .make_in(folder, |path| options.open(path))?;
        match found.as_file().try_lock() {
            // Between the two steps, another process may have taken it for a leftover.
            Ok(()) if found.as_file().metadata()?.nlink() == 0 => {}
            Err(TryLockError::WouldBlock) => {}
            // Where a file system has no locks, other processes do not take it for a leftover either.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(found),
        }
    }
}

/// Removes files that killed runs left in a folder. Files that another process is writing stay.
pub fn remove_leftovers(folder: &Path) {
    // Leftovers that cannot be inspected or removed do no harm.
    for entry in fs::read_dir(or_here(folder)).into_iter().flatten().flatten() {
        if is_temporary_name(entry.file_name().as_encoded_bytes()) {
            let _ = remove_leftover(&entry.path());
        }
    }
}

fn remove_leftover(path: &Path) -> io::Result<()> {
    let seen = fs::symlink_metadata(path)?;
    if !seen.is_file() {
        return Ok(());
    }
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let opened = file.metadata()?;
    let is_free = (opened.dev(), opened.ino()) == (seen.dev(), seen.ino()) && file.try_lock().is_ok();
    if is_free { fs::remove_file(path) } else { Ok(()) }
}

fn is_temporary_name(name: &[u8]) -> bool {
    let inner = name.strip_prefix(PREFIX.as_bytes()).and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()));
    let mut parts = inner.unwrap_or_default().splitn(2, |byte| *byte == b'-');
    let mut is = |check: fn(&u8) -> bool| parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(check));
    is(u8::is_ascii_digit) && is(u8::is_ascii_alphanumeric)
}

/// Makes a folder and its parents, each synced in the one above.
pub fn make_folders(folder: &Path) -> io::Result<()> {
    let folder = or_here(folder);
    match make_folder(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && folder.parent().is_some() => {
            make_folders(parent(folder))?;
            make_folder(folder)
        }
        result => result,
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => synced(&File::open(parent(folder))?),
        // It exists, perhaps made by another process just now.
        Err(_) if folder.is_dir() => Ok(()),
        result => result,
    }
}

/// The folder of a path.
fn parent(path: &Path) -> &Path {
    or_here(path.parent().unwrap_or(Path::new("")))
}

/// The parent of a bare name has no name.
fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// Writes the entries of a folder to the disk.
fn synced(folder: &File) -> io::Result<()> {
    match folder.sync_all() {
        // Some network file systems write entries at once and do not support this call.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests;
