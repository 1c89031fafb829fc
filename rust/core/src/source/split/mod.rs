//! Splits: contiguous runs of files, planned once, then read independently and anywhere.
//!
//! A file costs its bytes as stored plus [`FILE_COST`]. Runs are cut in the order of the source at a target cost; a
//! file over the target is a split by itself, since gzip cannot be divided; and before the files of a split would take
//! more than [`SPLIT_TEXT`], written out. So the files of a split lie together, by
//! account, region and day, and each file is in exactly one split.

mod pack;

pub use pack::{Member, Packed};

use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use self::pack::Series;
use super::local::has_gzip_ending;
use super::object::{Remote, is_address};
use super::{At, Entry, Keys, Listed, path_of, unreadable};
use crate::bounds::{SPLIT_FILE, SPLIT_TEXT, UNKNOWN_BYTES};
use crate::error::{Error, ErrorKind};
use crate::hash::{Pieces, hex};
use crate::schema;

/// What a file costs in addition to its bytes: a request, a fresh inflater, a row of the ledger.
pub const FILE_COST: u64 = 16 << 10;
/// Bounds of the default target: below, starting a task costs as much as its work; above, the last tasks keep the other
/// ones waiting.
const TARGETS: (u64, u64) = (4 << 20, 64 << 20);
/// Splits per slot: enough that the last ones end at about the same time.
const SPLITS_OF_A_SLOT: u64 = 8;
/// The name of this format in the hashes of splits; another format needs another name.
const FORM: &str = "ctfast split 1";
/// Members per block of the plan.
const BLOCK: u64 = 4_096;
/// Stored bytes per record, in gzip and uncompressed: means of the reference corpora.
const RECORD: (u64, u64) = (245, 1_450);

/// Files in order, until all are known and can be cut into splits. Each takes about 50 bytes of memory.
#[derive(Debug, Default)]
pub struct Planner {
    blocks: Vec<Series>,
    last: Series,
    files: u64,
    cost: u64,
}

/// A run of files: a split without its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The files.
    pub packed: Packed,
    /// How large they are.
    pub sizes: Sizes,
}

/// How large the files of a split are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Their bytes as stored, as far as sizes are known.
    pub bytes: u64,
    /// The cost of reading them, in bytes.
    pub cost: u64,
    /// Estimated number of their records.
    pub rows: u64,
    /// Whether some of them are in buckets.
    pub is_remote: bool,
}

impl Planner {
    /// Adds the next file.
    pub fn push(&mut self, member: &Member) {
        if self.last.len() == BLOCK {
            self.blocks.push(std::mem::take(&mut self.last));
        }
        self.last.push(member);
        self.files += 1;
        self.cost += cost(member);
    }

    /// Files so far.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.files
    }

    /// The runs of all files, cut at the cost `target`; by default at a cost that gives each of `slots` eight splits.
    ///
    /// # Panics
    ///
    /// Never: the files that were pushed are not damaged.
    pub fn cut(self, slots: u64, target: Option<u64>) -> impl Iterator<Item = Run> {
        let (least, most) = TARGETS;
        let share = self.cost / slots.saturating_mul(SPLITS_OF_A_SLOT).max(1);
        let target = target.unwrap_or(share.clamp(least, most));
        let blocks = self.blocks.into_iter().chain([self.last]);
        let mut members =
            blocks.flat_map(|block| block.into_members(usize::MAX)).map(|member| member.expect("what was just made"));
        let mut next = members.next();
        std::iter::from_fn(move || {
            let mut run = Cut::default();
            while let Some(member) = next.take_if(|member| run.takes(member, target)) {
                run.push(&member);
                next = members.next();
            }
            (run.series.len() > 0).then(|| run.finish())
        })
    }
}

/// A run that is being filled.
#[derive(Default)]
struct Cut {
    series: Series,
    text: usize,
    sizes: Sizes,
}

impl Cut {
    fn takes(&self, member: &Member, target: u64) -> bool {
        self.series.len() == 0 || self.sizes.cost + cost(member) <= target && self.text + text(member) <= SPLIT_TEXT
    }

    fn push(&mut self, member: &Member) {
        self.series.push(member);
        self.text += text(member);
        self.sizes.add(member);
    }

    fn finish(self) -> Run {
        Run { packed: self.series.packed(), sizes: self.sizes }
    }
}

impl Sizes {
    fn add(&mut self, member: &Member) {
        self.bytes += member.size.unwrap_or_default();
        self.cost += cost(member);
        let path = Path::new(&member.key);
        self.is_remote |= is_address(path);
        let (gzip, plain) = RECORD;
        let record = if has_gzip_ending(path) { gzip } else { plain };
        self.rows += member.size.unwrap_or(UNKNOWN_BYTES).div_ceil(record);
    }
}

fn cost(member: &Member) -> u64 {
    FILE_COST + member.size.unwrap_or(UNKNOWN_BYTES)
}

/// Bytes that a file takes, written out.
fn text(member: &Member) -> usize {
    SPLIT_FILE + member.key.len() + member.etag.as_deref().map_or(0, str::len)
}

impl Packed {
    /// The files; after damage, one `None` and then nothing.
    pub fn members(&self) -> impl Iterator<Item = Option<Member>> + Send + use<> {
        let series = Series::unpacked(self);
        let damaged = series.is_none().then_some(None);
        series.map(|series| series.into_members(SPLIT_TEXT)).into_iter().flatten().chain(damaged)
    }

    /// Whether all members can be read.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.members().all(|member| member.is_some())
    }

    /// How large the files are; `None` when they are damaged.
    #[must_use]
    pub fn sizes(&self) -> Option<Sizes> {
        self.members().try_fold(Sizes::default(), |mut sizes, member| {
            sizes.add(&member?);
            Some(sizes)
        })
    }

    /// The name of the split: a hash of its files and their versions, of the query, and of all existing columns. `None`
    /// when the files are damaged.
    #[must_use]
    pub fn id(&self, query: &str) -> Option<String> {
        let mut hash = Pieces::new();
        let mut add = |bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        add(FORM.as_bytes());
        add(schema::fingerprint().as_bytes());
        add(query.as_bytes());
        for member in self.members() {
            let Member { key, size, etag, modified } = member?;
            add(key.as_bytes());
            // An unknown value has a length that no number has.
            add(size.map(u64::to_le_bytes).as_slice().as_flattened());
            add(etag.unwrap_or_default().as_bytes());
            add(modified.map(i64::to_le_bytes).as_slice().as_flattened());
        }
        Some(hex(&hash.finish()[..16]))
    }
}

/// The files of a split, to be read in the versions that were planned.
#[must_use]
pub fn keys(files: &Packed, remote: Option<Arc<Remote>>) -> Keys {
    Box::new(files.members().map(move |member| match member {
        None => Listed::Broken(Error::whole(ErrorKind::Bug)),
        Some(member) => listed(member, remote.as_ref()),
    }))
}

fn listed(Member { key, size, etag, modified }: Member, remote: Option<&Arc<Remote>>) -> Listed {
    let path = Path::new(&key);
    if let Some(remote) = remote.filter(|_| is_address(path)) {
        return Listed::File(Entry { size, etag, is_planned: true, ..remote.entry(key) });
    }
    let path = path_of(path).into_owned();
    let failed = |error| Listed::Failed(unreadable(&error).in_file(&key));
    match fs::metadata(&path) {
        Ok(found) if found.is_file() => {
            let at = At::Disk(path);
            Listed::File(Entry { key, at, size, etag, modified, archived: None, first: 0, is_planned: true })
        }
        // A folder that could not be listed, or one that has replaced a file. Reading a pipe would block.
        Ok(_) => failed(fs::read_dir(&path).err().unwrap_or_else(|| io::Error::other("not a regular file"))),
        Err(error) => failed(error),
    }
}

impl From<Entry> for Member {
    fn from(Entry { key, size, etag, modified, .. }: Entry) -> Self {
        let modified = modified.filter(|_| etag.is_none());
        Self { key, size, etag, modified }
    }
}

impl Member {
    /// A file of which only the name is known.
    #[must_use]
    pub fn unknown(key: String) -> Self {
        Self { key, size: None, etag: None, modified: None }
    }
}

#[cfg(test)]
mod tests;
