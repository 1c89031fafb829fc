//! Checks of one file, as far as it can be checked alone: what the workers do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::{DAY, is_plausible, iso};
use crate::digest::{ALGORITHM, Content, Digest, Listed, NoKey, Provenance, Saved};
use crate::error::ErrorKind;
use crate::hash::{hex, unhex};
use crate::json::Index;
use crate::source::key::Key;

use super::archive::{Place, is_safe};
use super::calls::{self, Call};
use super::finding::{Reason, Status};
use super::hasher::{Hasher, Unread};
use super::node::{ChainId, Node, Problem};
use super::plan::Job;

/// What every worker keeps.
pub(super) struct Worker {
    hasher: Hasher,
    index: Index,
}

impl Worker {
    pub(super) fn new(job: &Job) -> Self {
        Self { hasher: Hasher::new(job.limits, job.archive.storage.clone()), index: Index::default() }
    }
}

/// A log file to check.
pub(super) struct Task {
    pub(super) listed: Listed,
    /// Path of the digest that lists it.
    pub(super) digest: Arc<str>,
    /// Whether that digest is valid.
    pub(super) is_proven: bool,
    /// Number of the hour that it counts for.
    pub(super) span: usize,
    /// Paths that it may have.
    pub(super) paths: Vec<PathBuf>,
    pub(super) checked: Option<Checked>,
}

/// How a log file came out.
pub(super) struct Checked {
    pub(super) status: Status,
    pub(super) problem: Option<Problem>,
    pub(super) content: Option<Content>,
    /// Where it is; where it would be, if it is missing.
    pub(super) path: Option<PathBuf>,
    /// Calls about trails in it, if it is proven.
    pub(super) calls: Vec<Call>,
}

/// Reads a digest file, and checks it as far as it can be checked alone.
pub(super) fn read_digest(worker: &mut Worker, node: &mut Node, chain: &ChainId, place: &Place, job: &Job) {
    let content = match worker.hasher.kept(&node.path) {
        Ok(content) => content,
        Err(unread) => return node.problems.push(unread.problem()),
    };
    let digest = match Digest::parse(worker.hasher.text(), &mut worker.index) {
        Ok(digest) => digest,
        Err(message) => return node.problems.push(Problem::new(Reason::Format, message)),
    };
    let problems = &mut node.problems;
    if content.members > 1 {
        problems.push(members(&content));
    }
    if !job.archive.is_at(&digest.at, &node.path) {
        let message = format!("it was written to {}/{}", digest.at.bucket, digest.at.key);
        problems.push(Problem::new(Reason::Moved, message));
    }
    let kept = worker.hasher.metadata().and_then(Saved::of_object);
    let saved = job.signatures.get(&digest.at.bucket, &digest.at.key).map(|saved| (saved, Provenance::File));
    let saved = saved.or(kept.as_ref().map(|saved| (saved, Provenance::Metadata)));
    let signed = signed_at(&digest, chain.backfill, saved.and_then(|(saved, _)| saved.backfill.flatten()));
    if let Err(no_key) = job.keys.find(&digest.fingerprint, &place.region, signed) {
        let fingerprint = &digest.fingerprint;
        problems.push(match no_key {
            NoKey::Unknown => {
                Problem::new(Reason::UnknownKey, format!("no public key has the fingerprint {fingerprint}"))
            }
            NoKey::OtherRegion => {
                Problem::new(Reason::KeyRegion, format!("the public key {fingerprint} is one of another region"))
            }
            NoKey::OtherTime => {
                Problem::new(Reason::KeyTime, format!("the public key {fingerprint} was not in use at the time"))
            }
            NoKey::Unusable => Problem::new(Reason::BadKey, format!("the public key {fingerprint} cannot be used")),
        });
    }
    if digest.algorithm != ALGORITHM {
        problems.push(Problem::new(
            Reason::SignatureAlgorithm,
            format!("the signature algorithm is {:?}, not {ALGORITHM}", digest.algorithm),
        ));
    }
    if content.trailing > 0 {
        problems.push(trailing(&content));
    }
    if let Some((saved, provenance)) = saved {
        match saved.algorithm.as_deref() {
            Some(ALGORITHM) => {}
            None => problems.push(Problem::new(Reason::NoSignature, "the saved metadata name no signature algorithm")),
            Some(other) => problems.push(Problem::new(
                Reason::SignatureAlgorithm,
                format!("the saved signature algorithm is {other:?}, not {ALGORITHM}"),
            )),
        }
        if chain.backfill && saved.backfill.is_none() {
            problems
                .push(Problem::new(Reason::Format, "the saved metadata of a backfill digest have no generation time"));
        }
        match &saved.signature {
            // What is not hexadecimal is a signature that does not match.
            Some(signature) => node.signature = Some((unhex(signature).unwrap_or_default(), provenance)),
            None => problems.push(Problem::new(Reason::NoSignature, "the saved metadata hold no signature")),
        }
    }
    if digest.end != node.time {
        problems.push(Problem::new(
            Reason::NameTime,
            format!("ends at {}, but its name tells {}", iso(digest.end), iso(node.time)),
        ));
    }
    if !(is_plausible(digest.start, job.now) && is_plausible(digest.end, job.now)) || digest.end - digest.start > DAY {
        let message =
            format!("it says that it is about {} to {}, which no digest is", iso(digest.start), iso(digest.end));
        problems.push(Problem::new(Reason::ImplausibleTime, message));
    }
    if digest.account != *place.account {
        problems.push(Problem::new(Reason::ForeignDigest, format!("names the account {:?}", digest.account)));
    }
    node.read = Some((digest, content));
    node.proven = prove(node, &place.region, job);
}

/// When a digest was signed, at the latest; `None` where nothing tells.
fn signed_at(digest: &Digest, is_backfill: bool, generated: Option<i64>) -> Option<i64> {
    if is_backfill { generated } else { Some(digest.end) }
}

/// Whether the signature of a digest matches, if there is one.
pub(super) fn prove(node: &Node, region: &str, job: &Job) -> Option<bool> {
    let ((digest, content), (signature, _)) = (node.read.as_ref()?, node.signature.as_ref()?);
    let text = digest.string_to_sign(&content.sha256);
    let keys = job.keys.find(&digest.fingerprint, region, None).unwrap_or_default();
    Some(keys.iter().any(|key| key.verifies(&text, signature)))
}

impl Unread {
    fn problem(self) -> Problem {
        match self {
            Self::Missing => Problem::new(Reason::Unreadable, "it went away while it was to be read"),
            Self::NotGzip(byte) => Problem::new(Reason::Format, format!("not gzip: starts with 0x{byte:02x}")),
            Self::Bad(error) => {
                let is_unread = matches!(error.kind(), ErrorKind::Unreadable(_) | ErrorKind::Store(..));
                let reason = if is_unread { Reason::Unreadable } else { Reason::Format };
                Problem { byte: error.location().byte, ..Problem::new(reason, error.to_string()) }
            }
        }
    }
}

fn trailing(content: &Content) -> Problem {
    let what = ErrorKind::NoMember { after: content.members, bytes: content.trailing };
    Problem::new(Reason::TrailingBytes, what.to_string())
}

/// Checks a log file.
pub(super) fn check_log(worker: &mut Worker, task: &mut Task, job: &Job) -> Checked {
    let Listed { at, hash, algorithm } = &task.listed;
    let mut paths = std::mem::take(&mut task.paths);
    let mut checked = Checked { status: Status::Invalid, problem: None, content: None, path: None, calls: Vec::new() };
    if !is_safe(&at.key) {
        let message = format!("the digest names a log file by a path that is no key, which is not read: {:?}", at.key);
        checked.problem = Some(Problem::new(Reason::UnsafeName, message));
        return checked;
    }
    if algorithm != "SHA-256" {
        checked.problem =
            Some(Problem::new(Reason::HashAlgorithm, format!("the hash algorithm is {algorithm:?}, not SHA-256")));
        return checked;
    }
    let mut found = (0, Err(Unread::Missing));
    for (number, path) in paths.iter().enumerate() {
        let known = job.hashes.as_ref().and_then(|hashes| hashes.get(path));
        let content = known.map_or_else(|| worker.hasher.file(path), Ok);
        if content != Err(Unread::Missing) {
            found = (number, content);
            break;
        }
    }
    let (number, content) = found;
    checked.path = (number < paths.len()).then(|| paths.swap_remove(number));
    match content {
        Ok(content) => {
            checked.content = Some(content);
            checked.problem = difference(&content, hash);
            if checked.problem.is_none() {
                checked.status = Status::Valid;
                checked.calls = calls_in(worker, &content, task.is_proven, checked.path.as_deref());
            }
        }
        Err(Unread::Missing) => {
            checked.status = Status::Missing;
            checked.problem = Some(Problem::new(Reason::MissingLog, "it is not there, though a digest lists it"));
        }
        Err(bad) => checked.problem = Some(bad.problem()),
    }
    checked
}

/// The calls about trails in a log file that is proven. It is read again: few name any.
fn calls_in(worker: &mut Worker, content: &Content, is_proven: bool, path: Option<&Path>) -> Vec<Call> {
    let Some(path) = path.filter(|_| is_proven && content.names_calls) else { return Vec::new() };
    // A file that changes meanwhile tells nothing.
    let is_same = worker.hasher.kept(path).is_ok_and(|again| again.sha256 == content.sha256);
    if is_same { calls::calls(worker.hasher.text(), &mut worker.index) } else { Vec::new() }
}

/// How a log file differs from what its digest says.
fn difference(content: &Content, hash: &str) -> Option<Problem> {
    // As AWS's own tool, which hashes one member and asks first whether more follows.
    if content.members > 1 {
        return Some(members(content));
    }
    if content.trailing > 0 {
        return Some(trailing(content));
    }
    let found = hex(&content.sha256);
    (found != hash).then(|| {
        let message = format!("hash value doesn't match: it is {found}, but the digest has {hash}");
        Problem::new(Reason::Hash, message)
    })
}

fn members(content: &Content) -> Problem {
    Problem::new(Reason::Members, format!("{} gzip members instead of one", content.members))
}

/// Whether a log file belongs to another account or region than the digest that lists it.
pub(super) fn foreign(key: &str, place: &Place) -> Option<String> {
    let Some(key) = Key::parse(key) else {
        return Some("the digest lists a file whose name is not that of a log file".to_owned());
    };
    let same = key.account == &*place.account && key.region == &*place.region && !key.is_digest();
    (!same).then(|| format!("the digest of account {} in {} lists it", place.account, place.region))
}
