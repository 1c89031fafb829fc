//! How much is held at once: every bound in one place, with its reason. Imports nothing else of the crate.
//!
//! A scan holds 64 MiB (prefetched bodies of objects) plus 48 MiB per thread, whatever the files contain. A worker
//! holds one window with its tokens, one arena, and the batch that it builds; about one finished batch for each worker
//! waits for the reader. A batch may end after any record of a file. In addition, a thread that meets a file of
//! CloudTrail's largest size holds up to 50 MiB ([`INFLATED_WHOLE`]), because such files are inflated at once, for
//! speed. Only files stored in at least a 32nd of that qualify, so no small file can cause it. `benches/hostile.py`
//! measures both on files that were made to break them.

/// One record, or anything else that is read in one piece (a document that is no record, the text before `Records`):
/// four times what CloudTrail allows for an event since version 1.05, and a tenth of what its columns and `extra` may
/// add. A file with a larger one is bad from there on.
pub(crate) const RECORD: usize = 1 << 20;
/// Text that is indexed and walked at once: large enough that a whole record fits, wherever it starts. Its tokens take
/// up to four times as much.
pub(crate) const WINDOW: usize = 2 * RECORD;
/// Text that the rows of a batch point into. Smaller ones cost more calls, larger ones more memory.
pub(crate) const ARENA: usize = 8 << 20;

/// Levels of documents within documents (a record in a log event in gzip in a string). An SQS message around an SNS
/// message around an event has three, and each level is walked once more for those around it.
pub(crate) const EMBEDDED_DEPTH: u32 = 6;
/// Records of one embedded document, which become rows in one go: CloudWatch Logs sends at most this many events in a
/// batch.
pub(crate) const EMBEDDED_RECORDS: u64 = 10_000;

/// Torn lines in one file, and bytes of text that allow one more: after each, the tokens of the window are indexed
/// again. A file with more is bad from there on.
pub(crate) const TORN_LINES: u64 = 1000;
pub(crate) const TORN_BYTES: u64 = 64 << 10;

/// A batch ends when this many bytes of text were copied or decoded for it, after the record that reaches the limit.
pub(crate) const BATCH_TEXT: usize = 8 << 20;
/// A batch ends when the file names of all rows, written out, would take this many bytes.
pub(crate) const BATCH_NAMES: usize = 16 << 20;
/// Bytes of the cells of a batch, if each row had a value in each column.
pub(crate) const BATCH_CELLS: usize = 12 << 20;
/// Rows of a batch, however narrow.
pub(crate) const BATCH_ROWS: usize = 64 << 10;
/// A batch ends when its lists have this many elements.
pub(crate) const BATCH_ELEMENTS: usize = 64 << 10;
/// Elements of one list. A longer list does not fit its column and goes to `extra`; a CloudTrail record of 256 kB has
/// room for a few thousand.
pub(crate) const ELEMENTS: usize = 16 << 10;
/// A batch ends when its rows have met this many rules in total.
pub(crate) const BATCH_HITS: usize = 256 << 10;

/// For each path by which rules are looked up, a thread knows which rules this many values satisfy, all groups of rules
/// together, as long as the sets of rules fit in so many bytes: callers, agents and calls come again soon. Values that
/// are longer are not kept. That is up to 320 KiB for each path, and few rule sets ask for more than ten.
pub(crate) const VALUES_KNOWN: usize = 512;
pub(crate) const VALUES_KNOWN_BYTES: usize = 64 << 10;
pub(crate) const VALUE_KNOWN: usize = 512;

/// The most rows of a batch of a split, and the most bytes in all columns, unless one row has more: with more rows, and
/// with fewer, Spark takes longer, and a task of Spark holds three batches.
pub(crate) const RECUT_ROWS: usize = 8 << 10;
pub(crate) const RECUT_BYTES: usize = 16 << 20;

/// Files that are stored in more bytes are streamed: CloudTrail's largest, 50 MB of text, are stored in about 6 MB.
pub(crate) const STORED_WHOLE: u64 = 8 << 20;
/// Files that inflate to more than an arena and up to this are inflated at once: CloudTrail's own end at 50 MB. Larger
/// ones are streamed.
pub(crate) const INFLATED_WHOLE: usize = 50 << 20;
/// But only if they inflate to at most this many times their size, which is ample for logs (8 to 15 times): a small
/// file must not decide how much memory is held.
pub(crate) const INFLATED_WHOLE_RATIO: usize = 32;

/// A task takes files until they have this stored size in total, or until there are this many.
pub(crate) const TASK_BYTES: u64 = 512 << 10;
pub(crate) const TASK_FILES: usize = 512;
/// The size that a file of unknown size counts for in a task.
pub(crate) const UNKNOWN_BYTES: u64 = 32 << 10;

/// Tasks for each worker that may be running or waiting to be read.
pub(crate) const ORDER_TASKS: u64 = 4;
/// Bytes of batches that may wait to be read besides the next one, for each worker but one: a full batch of every
/// column. Bounded by tasks alone, workers stood idle while a large task was read.
pub(crate) const ORDER_BYTES: usize = 14 << 20;
/// What a row of the ledger or a finding counts for there.
pub(crate) const NOTED: usize = 256;

/// Bad records that are named per file. Further ones are counted.
pub(crate) const BAD_OF_A_FILE: usize = 100;
/// Bad records that are named per report.
pub const BAD_RECORDS: u64 = 10_000;
/// Bad files, and warnings, that are named per report, listing or copy. A portion of named files has fewer.
pub const BAD_FILES: u64 = 20_000;

/// Where duplicates are counted or removed, a scan holds up to 96 MiB more: the latest keys, of 32 bytes each; one
/// filter of all keys on disk, and filters of single runs, which take twice as much while runs are merged; and for each
/// run, a few dozen at most, an index of its blocks (half a MiB) and buffers. The set grows to this size only as
/// needed.
pub(crate) const DEDUPE_TABLE: usize = 16 << 20;
pub(crate) const DEDUPE_FILTERS: usize = 20 << 20;
/// Parts of a file that are known by their beginnings, of 8 bytes.
pub(crate) const DEDUPE_INDEX: usize = 64 << 10;
/// Bytes of such a file that are read or written at once.
pub(crate) const DEDUPE_READ: usize = 64 << 10;
/// Variants of one event that are compared. Further variants are not compared with earlier records.
pub(crate) const CONTENTS: usize = 16;

/// The files of a split, written out: the bytes of their keys and tags, and [`SPLIT_FILE`] for each. A split has 4,096
/// files at most where nobody names a target, and this holds 60,000 objects of CloudTrail. What claims to be a split
/// may be any text: deflate makes a thousand bytes of one, and a key that repeats the one before it, thousands more.
pub(crate) const SPLIT_TEXT: usize = 16 << 20;
/// What a file of a split takes besides its key and its tag: its size, its time and some lengths, however large.
pub(crate) const SPLIT_FILE: usize = 64;

/// Rows of the ledger that are held before they are written to disk or handed over. A key has about 100 bytes, and 4
/// KiB at most.
pub const LEDGER_ROWS: usize = 4 << 10;

// A record fits in a window and a window in an arena, and 32-bit positions cannot overflow.
const _: () = assert!(RECORD < WINDOW && 2 * WINDOW <= ARENA && INFLATED_WHOLE < u32::MAX as usize);
const _: () = assert!(BATCH_ELEMENTS + ELEMENTS < i32::MAX as usize);
// The text of one column of a batch stays within reach of 32-bit offsets: text in the arena, text that was copied or
// fits into cells and list elements, a file name per row, and the last record, whose `extra` repeats the path of each
// key.
const _: () = assert!(
    INFLATED_WHOLE + BATCH_TEXT + BATCH_CELLS + 16 * (BATCH_ELEMENTS + ELEMENTS) + BATCH_NAMES + 16 * RECORD
        < i32::MAX as usize
);
