//! How much is held at once: every such bound in one place, with its reason. Imports nothing of ours.
//!
//! A scan holds 64 MiB (bodies of objects that were fetched ahead) and 48 MiB per thread, whatever is written in the files. What a worker
//! holds is one window with its tokens, one arena, the batch that it builds and the one that waits; a batch is cut between two records,
//! wherever in a file that is. To this comes up to 50 MiB ([`INFLATED_WHOLE`]) for each thread that has met a file of CloudTrail's largest
//! size, which is inflated at once, for speed: only files that are stored in a 32nd of that, or more, so no small file can ask for it.
//! `benches/hostile.py` measures both with what was made to break them.

/// One record, and whatever else is read in one piece (a document that is no record, what stands before `Records`): four times what
/// CloudTrail lets an event have since version 1.05, and a tenth of what its columns and `extra` may take beside it. A file with more
/// is bad from there on.
pub(crate) const RECORD: usize = 1 << 20;
/// Text that is indexed and walked at once: so much that every whole record fits in it, wherever it starts. Its tokens take up to four
/// times as much.
pub(crate) const WINDOW: usize = 2 * RECORD;
/// Text that the rows of a batch point into. Smaller ones cost more calls, larger ones more memory.
pub(crate) const ARENA: usize = 8 << 20;

/// Documents within documents (a record in a log event in gzip in a string): an SQS message with an SNS message with an event on a bus has
/// three, and each is walked once more for those around it.
pub(crate) const EMBEDDED_DEPTH: u32 = 6;
/// Records of one document within another, which become rows in one go: as many as CloudWatch Logs has events in one batch.
pub(crate) const EMBEDDED_RECORDS: u64 = 10_000;

/// Lines that may be torn in one file, and bytes of text for each one more: the tokens of a window are looked for anew after each. A file
/// with more is no log with torn lines, and bad from there on.
pub(crate) const TORN_LINES: u64 = 1000;
pub(crate) const TORN_BYTES: u64 = 64 << 10;

/// A batch is handed over when the text that was copied or decoded for it has so many bytes: the last record adds what it has.
pub(crate) const BATCH_TEXT: usize = 8 << 20;
/// A batch is handed over when the name of each row's file, were it written out, would take so many bytes.
pub(crate) const BATCH_NAMES: usize = 16 << 20;
/// Bytes of the cells of a batch, if each row had a value in each column.
pub(crate) const BATCH_CELLS: usize = 12 << 20;
/// Rows of a batch, however narrow.
pub(crate) const BATCH_ROWS: usize = 64 << 10;
/// A batch is handed over when its lists have so many elements.
pub(crate) const BATCH_ELEMENTS: usize = 64 << 10;
/// Elements of one list. A list with more does not fit its column and stands in `extra`: a record of CloudTrail's 256 kB has room for a
/// few thousand.
pub(crate) const ELEMENTS: usize = 16 << 10;
/// A batch is handed over when its rows have met so many rules together.
pub(crate) const BATCH_HITS: usize = 256 << 10;

/// Files that are stored in more bytes are streamed: CloudTrail's largest, 50 MB of text, are stored in about 6 MB.
pub(crate) const STORED_WHOLE: u64 = 8 << 20;
/// Files that inflate to more than an arena and up to this are inflated at once: CloudTrail's own end at 50 MB. Larger ones are streamed.
pub(crate) const INFLATED_WHOLE: usize = 50 << 20;
/// But only if they inflate to no more than so many times their size, which is ample for logs (8 to 15 times): what a small file inflates
/// to never decides how much is held.
pub(crate) const INFLATED_WHOLE_RATIO: usize = 32;

/// A task is taken from the files until they have this size together, as stored, or until they are so many.
pub(crate) const TASK_BYTES: u64 = 1 << 20;
pub(crate) const TASK_FILES: usize = 512;
/// What a file counts in a task whose size nobody has told.
pub(crate) const UNKNOWN_BYTES: u64 = 32 << 10;

/// Bad records that are named of one file. The others are counted.
pub(crate) const BAD_OF_A_FILE: usize = 100;
/// Bad records that are named in one report.
pub const BAD_RECORDS: u64 = 10_000;
/// Bad files that are named in one report, and as many warnings. A portion of named files has fewer.
pub const BAD_FILES: u64 = 20_000;

/// Where duplicates are counted or left out, a scan holds up to 96 MiB besides: the latest keys, of 32 bytes each; one filter of all keys
/// on the disk, and those of single runs, which take twice as much while runs are merged; and of each run there, a few dozen at most,
/// the beginnings of its parts (half a MiB) and what is read and written of it. The set grows to this as it must.
pub(crate) const DEDUPE_TABLE: usize = 16 << 20;
pub(crate) const DEDUPE_FILTERS: usize = 20 << 20;
/// Parts of a file that are known by their beginnings, of 8 bytes.
pub(crate) const DEDUPE_INDEX: usize = 64 << 10;
/// Bytes of such a file that are read or written at once.
pub(crate) const DEDUPE_READ: usize = 64 << 10;
/// What one event may say: a record that says something else again is not compared with those before it.
pub(crate) const CONTENTS: usize = 16;

/// Rows of the ledger that are held, and written to the disk or handed over at once: their keys have 100 bytes or so, 4 KiB at most.
pub(crate) const LEDGER_ROWS: usize = 4 << 10;

// A record always fits in a window, a window in an arena; and positions in them, which have 32 bits, cannot wrap.
const _: () = assert!(RECORD < WINDOW && 2 * WINDOW <= ARENA && INFLATED_WHOLE < u32::MAX as usize);
const _: () = assert!(BATCH_ELEMENTS + ELEMENTS < i32::MAX as usize);
// The text of one column of a batch is within the reach of offsets of 32 bits: what stands in its arena, was copied or fits into its cells
// and those of its elements, the name of a file for each row, and what the last record adds, whose `extra` names the path of each key.
const _: () = assert!(
    INFLATED_WHOLE + BATCH_TEXT + BATCH_CELLS + 16 * (BATCH_ELEMENTS + ELEMENTS) + BATCH_NAMES + 16 * RECORD < i32::MAX as usize
);
