//! Where the objects of buckets lie on the local disk, and what lies there.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;

use crate::digest::Name;
use crate::error::Error;
use crate::source::Storage;
use crate::source::key::{DIGEST, Folders, Key, is_kind};
use crate::source::object::check_bucket;
use crate::source::{has_log_ending, path_text, unreadable};

/// A folder, and what of which bucket it holds.
#[derive(Debug, Clone)]
pub struct Root {
    /// The folder.
    pub path: PathBuf,
    /// Its bucket and the key prefix that was left out below it, where they are known; else they are found by the
    /// names.
    pub origin: Option<(String, String)>,
}

/// The folders of an archive.
pub(crate) struct Archive {
    roots: Vec<Mount>,
    pub(crate) storage: Storage,
}

struct Mount {
    path: PathBuf,
    origin: Option<(String, String)>,
    /// The ends of the folder's own path, longest first: what keys may begin with where the folder lies deep in the
    /// tree.
    ends: Vec<String>,
}

/// A key without what stands before it in the bucket.
fn without<'a>(prefix: &str, key: &'a str) -> Option<&'a str> {
    if prefix.is_empty() { Some(key) } else { key.strip_prefix(prefix)?.strip_prefix('/') }
}

impl Mount {
    /// Where an object lies, if this folder is said to be its bucket.
    fn in_origin(&self, name: &Name) -> Option<PathBuf> {
        let (bucket, prefix) = self.origin.as_ref()?;
        if *bucket == name.bucket { without(prefix, &name.key).map(|rest| self.path.join(rest)) } else { None }
    }

    /// Whether a file is this object. It is asked several times of each digest, so it builds nothing.
    fn is_at(&self, Name { bucket, key }: &Name, path: &str) -> bool {
        let root = self.path.to_str().map(|root| root.trim_end_matches('/'));
        let Some(rest) = root.and_then(|root| path.strip_prefix(root)?.strip_prefix('/')) else { return false };
        if let Some((of, prefix)) = &self.origin {
            return of == bucket && without(prefix, key) == Some(rest);
        }
        let is = |start: &str| {
            let below = start.strip_prefix(bucket.as_str()).and_then(|start| start.strip_prefix('/'));
            let joined = |start: &str| key.strip_prefix(start).is_some_and(|key| key == rest);
            joined(start) || below.is_some_and(joined)
        };
        let in_bucket =
            || rest.strip_prefix(bucket.as_str()).and_then(|rest| rest.strip_prefix('/')) == Some(key.as_str());
        rest == key || in_bucket() || self.ends.iter().any(|end| is(end))
    }
}

/// Accounts and regions that are asked for.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// `None` for all.
    pub accounts: Option<HashSet<String>>,
    /// `None` for all.
    pub regions: Option<HashSet<String>>,
}

/// One account in one region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) org: Option<Arc<str>>,
    pub(crate) account: Arc<str>,
    pub(crate) region: Arc<str>,
}

/// Its folders.
#[derive(Debug, Default)]
pub(crate) struct Dirs {
    pub(crate) digests: Vec<PathBuf>,
    /// With the kind of log files that lie there.
    pub(crate) logs: Vec<(String, PathBuf)>,
}

/// What an archive holds, as far down as regions.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) places: BTreeMap<Place, Dirs>,
    /// Files that are named like CloudTrail's, but lie where none belongs.
    pub(crate) stray: Vec<PathBuf>,
    pub(crate) unreadable: Vec<(PathBuf, Error)>,
}

/// Whether a key names a file below a folder, and no other file.
pub(crate) fn is_safe(key: &str) -> bool {
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    key.split('/').all(plain) && !key.contains(['\\', '\0'])
}

impl Archive {
    pub(crate) fn new(roots: Vec<Root>, storage: Storage) -> Result<Self, Error> {
        let storage = storage.below(roots.iter().map(|root| root.path.as_path()));
        for root in &roots {
            storage.must_have(&root.path)?;
        }
        let mount = |Root { path, origin }: Root| {
            let whole = absolute(&path)?;
            let parts: Vec<_> = whole.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            let ends = (1..parts.len()).map(|from| format!("{}/", parts[from..].join("/"))).collect();
            Ok(Mount { path, origin, ends })
        };
        let roots = roots.into_iter().map(mount).collect::<io::Result<_>>().map_err(|error| unreadable(&error))?;
        Ok(Self { roots, storage })
    }

    /// Where an object may lie: nowhere but below the roots, since its name must be [safe](is_safe).
    ///
    /// A root that is said to be a bucket is all there is of it. Else an object lies in a folder of its bucket's name,
    /// or, if the root may be its bucket, in the root.
    fn candidates(&self, name: &Name, may_be_root: bool) -> Vec<PathBuf> {
        debug_assert!(is_safe(&name.key));
        let mut found: Vec<_> = self.roots.iter().filter_map(|root| root.in_origin(name)).collect();
        if self.is_told(&name.bucket) {
            return found;
        }
        for root in self.roots.iter().filter(|root| root.origin.is_none()) {
            let mut add = |key: &str, is_below: bool| {
                let within = root.ends.iter().filter_map(|end| key.strip_prefix(end.as_str()));
                found.extend(is_below.then_some(key).into_iter().chain(within).map(|rest| root.path.join(rest)));
            };
            if may_be_root {
                add(&name.key, true);
            }
            if check_bucket(&name.bucket).is_ok() {
                // Another bucket is known by its folder only.
                let is_below = may_be_root || root.path.join(&name.bucket).is_dir();
                add(&format!("{}/{}", name.bucket, name.key), is_below);
            }
        }
        found
    }

    /// Whether some root is said to be this bucket.
    fn is_told(&self, bucket: &str) -> bool {
        self.roots.iter().any(|root| root.origin.as_ref().is_some_and(|(of, _)| of == bucket))
    }

    /// All paths at which a log file may lie that a digest of a bucket lists.
    pub(crate) fn paths(&self, name: &Name, bucket: &str) -> Vec<PathBuf> {
        if is_safe(&name.key) { self.candidates(name, name.bucket == bucket) } else { Vec::new() }
    }

    /// Whether a file is this object.
    pub(crate) fn is_at(&self, name: &Name, path: &Path) -> bool {
        let Some(path) = path.to_str().filter(|_| is_safe(&name.key)) else { return false };
        let is_told = self.is_told(&name.bucket);
        self.roots.iter().any(|root| root.origin.is_some() == is_told && root.is_at(name, path))
    }

    /// The file that is this object; where there is none, the one that would be. `None` for a name that leads
    /// elsewhere.
    pub(crate) fn find(&self, name: &Name) -> Option<PathBuf> {
        if !is_safe(&name.key) {
            return None;
        }
        let mut candidates = self.candidates(name, true);
        // Where there is but one, nobody need look.
        let several = candidates.len() > 1;
        let there = candidates.iter().position(|candidate| several && self.storage.has_file(candidate));
        (!candidates.is_empty()).then(|| candidates.swap_remove(there.unwrap_or(0)))
    }

    /// Whether an object of this name would lie where a root is, as far as names tell.
    pub(crate) fn may_hold(&self, name: &Name) -> bool {
        let Name { bucket, key } = name;
        let is_told = self.is_told(bucket);
        is_safe(key)
            && self.roots.iter().any(|root| {
                let in_tree = || root.ends.iter().find(|end| end.contains("AWSLogs/"));
                match &root.origin {
                    Some(_) => root.in_origin(name).is_some(),
                    None if is_told => false,
                    // Such a root holds what is below it in the tree, and the tree itself is in all names.
                    None => in_tree().is_none_or(|whole| {
                        let below = whole.rfind("AWSLogs/").map_or("", |from| &whole[from..]);
                        key.rfind("AWSLogs/").is_some_and(|from| key[from..].starts_with(below))
                    }),
                }
            })
    }

    /// Whether a root is told to be this bucket, or there is a folder of its name.
    pub(crate) fn has_bucket(&self, bucket: &str) -> bool {
        let is_folder = |root: &Mount| {
            let below = format!("{bucket}/");
            root.ends.iter().any(|end| end.starts_with(&below)) || (is_safe(bucket) && root.path.join(bucket).is_dir())
        };
        self.is_told(bucket) || self.roots.iter().any(|root| root.origin.is_none() && is_folder(root))
    }

    /// Looks through the folders, down to regions.
    pub(crate) fn contents(&self, wanted: &Places) -> Contents {
        let mut contents = Contents::default();
        let mut visited = HashSet::new();
        for root in &self.roots {
            let folder = absolute(&root.path).map_or_else(|_| String::new(), |path| path_text(&path));
            contents.visit(&root.path, &folder, wanted, &self.storage, &mut visited);
        }
        contents
    }
}

impl Places {
    /// Whether they are all asked for, or this one is.
    pub(crate) fn has(&self, place: &Place) -> bool {
        let has =
            |wanted: &Option<HashSet<String>>, name: &str| wanted.as_ref().is_none_or(|wanted| wanted.contains(name));
        has(&self.accounts, &place.account) && has(&self.regions, &place.region)
    }
}

impl Contents {
    /// `whole` is the absolute path, whose names tell what the folder holds.
    fn visit(&mut self, path: &Path, whole: &str, wanted: &Places, storage: &Storage, visited: &mut HashSet<PathBuf>) {
        if !visited.insert(PathBuf::from(whole)) {
            return;
        }
        let text = format!("{whole}/");
        let folders = Folders::parse(&text).unwrap_or_default();
        let asked =
            |wanted: &Option<HashSet<String>>, name: &str| wanted.as_ref().is_none_or(|wanted| wanted.contains(name));
        if folders.account.is_some_and(|account| !asked(&wanted.accounts, account))
            || folders.kind.is_some_and(|kind| !is_kind(kind))
            || folders.region.is_some_and(|region| !asked(&wanted.regions, region))
        {
            return;
        }
        if let (Some(account), Some(kind), Some(region)) = (folders.account, folders.kind, folders.region) {
            let place = Place { org: folders.org.map(Into::into), account: account.into(), region: region.into() };
            let dirs = self.places.entry(place).or_default();
            if kind == DIGEST {
                dirs.digests.push(path.to_owned());
            } else {
                dirs.logs.push((kind.to_owned(), path.to_owned()));
            }
            return;
        }
        let found = match storage.folder(path) {
            Ok(found) => found,
            Err(error) => return self.unreadable.push((path.to_owned(), error)),
        };
        for (path, is_folder) in found {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if is_folder {
                self.visit(&path, &format!("{}/{name}", whole.trim_end_matches('/')), wanted, storage, visited);
            } else if let Some(key) = Key::parse(&name)
                && asked(&wanted.accounts, key.account)
                && asked(&wanted.regions, key.region)
            {
                self.stray.push(path);
            }
        }
    }
}

/// Whether a scan would read a file of this name.
pub(crate) fn is_read(path: &Path) -> bool {
    has_log_ending(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(bucket: &str, key: &str) -> Name {
        Name { bucket: bucket.into(), key: key.into() }
    }

    fn archive(path: &str, origin: Option<(&str, &str)>) -> Archive {
        let origin = origin.map(|(bucket, prefix)| (bucket.to_owned(), prefix.to_owned()));
        Archive::new(vec![Root { path: path.into(), origin }], Storage::default()).expect("a root")
    }

    #[test]
    fn names_that_lead_elsewhere() {
        for key in ["../x", "/etc/passwd", "a/../../x", "a//b", "", "a/", "./a", "a\\..\\b", "a\0"] {
            assert!(!is_safe(key), "{key}");
            assert_eq!(archive("/data", None).find(&name("b", key)), None, "{key}");
        }
        assert!(is_safe("AWSLogs/1/x..y.json.gz"));
        assert_eq!(archive("/data", None).find(&name("..", "k")), Some("/data/k".into()));
    }

    #[test]
    fn an_object_is_below_the_root_or_below_its_bucket() {
        let archive = archive("/no/data", None);
        assert!(archive.is_at(&name("b", "AWSLogs/k"), Path::new("/no/data/AWSLogs/k")));
        assert!(archive.is_at(&name("b", "AWSLogs/k"), Path::new("/no/data/b/AWSLogs/k")));
        assert!(!archive.is_at(&name("b", "AWSLogs/k"), Path::new("/no/data/c/AWSLogs/k")));
        assert!(!archive.is_at(&name("b", "AWSLogs/k"), Path::new("/no/datab/AWSLogs/k")));
        assert!(!archive.is_at(&name("b", "AWSLogs/k"), Path::new("/no/AWSLogs/k")));
        assert_eq!(archive.find(&name("b", "k")), Some("/no/data/k".into()));
    }

    #[test]
    fn is_at_agrees_with_paths() {
        for root in ["/no/b/p", "/no/b/p/", "/", "p", "."] {
            let archive = archive(root, None);
            for key in ["AWSLogs/k", "p/AWSLogs/k", "b/p/AWSLogs/k"] {
                let name = name("b", key);
                for path in archive.paths(&name, "b") {
                    assert!(archive.is_at(&name, &path), "{root} {key} {}", path.display());
                }
            }
        }
    }

    #[test]
    fn a_root_may_lie_in_the_tree() {
        let inside = archive("/no/b/p/AWSLogs/1", None);
        assert!(inside.is_at(&name("x", "p/AWSLogs/1/k"), Path::new("/no/b/p/AWSLogs/1/k")));
        assert!(!inside.is_at(&name("x", "q/AWSLogs/1/k"), Path::new("/no/b/p/AWSLogs/1/k")));
        assert!(archive("/no/b", None).is_at(&name("b", "AWSLogs/k"), Path::new("/no/b/AWSLogs/k")));
    }

    #[test]
    fn an_origin_is_all_that_counts() {
        let moved = archive("/no/data", Some(("b", "sec/ct")));
        assert!(moved.is_at(&name("b", "sec/ct/AWSLogs/k"), Path::new("/no/data/AWSLogs/k")));
        for (bucket, key) in [("c", "sec/ct/AWSLogs/k"), ("b", "AWSLogs/k"), ("b", "sec/ctx/AWSLogs/k")] {
            assert!(!moved.is_at(&name(bucket, key), Path::new("/no/data/AWSLogs/k")), "{bucket} {key}");
        }
        assert!(archive("/no/data", Some(("b", ""))).is_at(&name("b", "k"), Path::new("/no/data/k")));
    }
}
