//! Whole scans of archives that each test writes for itself.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use ctfast_core::filter::{Form, Pushed, Stated, Test};
use ctfast_core::ledger::{self, Ledger, Row};
use ctfast_core::scan::{Query, Run, Selection, Sources};
use ctfast_core::source::{Choice, Listed, Listing, Named, Skip};
use ctfast_core::{Error, ErrorKind, Limits, Live, Next, Plan, Report, Scan, schema};
use flate2::Compression;
use flate2::read::GzEncoder;
use tempfile::TempDir;

/// A folder of files.
struct Archive(TempDir);

impl Archive {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn write(&self, key: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.path().join(key);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    fn path(&self, key: &str) -> String {
        self.0.path().join(key).to_string_lossy().into_owned()
    }

    /// A plan to read the whole archive: three columns, failures collected, two threads.
    fn plan(&self) -> Plan {
        Plan {
            selection: below(vec![self.0.path().to_owned()]),
            query: query(&["file", "record", "raw"]),
            run: Run { threads: 2, limits: Limits::default(), fail: false, recut: None },
        }
    }

    fn query(&self, query: Query) -> Plan {
        Plan { query, ..self.plan() }
    }

    fn meeting(&self, predicate: Option<Pushed>) -> Plan {
        let mut plan = self.plan();
        plan.query.predicate = predicate;
        plan
    }

    fn run(&self, run: impl FnOnce(&mut Run)) -> Plan {
        let mut plan = self.plan();
        run(&mut plan.run);
        plan
    }

    /// The result of [`Self::plan`], with names relative to the root.
    fn read(&self) -> Outcome {
        read(&self.plan()).below(&self.path(""))
    }
}

fn below(paths: Vec<PathBuf>) -> Selection {
    Selection { sources: Sources::Below(paths), choice: Choice::default() }
}

fn query(columns: &[&str]) -> Query {
    Query::new(columns.iter().map(ToString::to_string).collect()).expect("known columns")
}

/// The result of a scan: file, index and text of each row, then its report and its error.
struct Outcome {
    rows: Vec<(String, u32, String)>,
    report: Report,
    error: Option<Error>,
}

impl Outcome {
    fn below(mut self, root: &str) -> Self {
        for (file, ..) in &mut self.rows {
            *file = file.replace(root, "");
        }
        self
    }

    /// The findings, one line each.
    fn bad(&self, archive: &Archive) -> Vec<String> {
        let line = |finding: &ctfast_core::scan::Finding| format!("{}, {} kept", finding.error, finding.records_kept);
        self.report.bad.iter().map(line).map(|line| line.replace(&archive.path(""), "")).collect()
    }
}

fn read(plan: &Plan) -> Outcome {
    read_with(plan, Live::default())
}

fn read_with(plan: &Plan, live: Live) -> Outcome {
    let mut scan = Scan::start(plan, live).expect("threads");
    let mut rows = Vec::new();
    let error = loop {
        match scan.next(Duration::from_secs(1)) {
            Ok(Next::Batch(batch)) => rows.extend(rows_of(&batch)),
            Ok(Next::Waiting) => {}
            Ok(Next::End) => break None,
            Err(error) => break Some(error),
        }
    };
    Outcome { rows, report: scan.report().clone(), error }
}

fn rows_of(batch: &RecordBatch) -> Vec<(String, u32, String)> {
    let text = |name: &str| batch.column_by_name(name).map(AsArray::as_string_view);
    let (files, raws) = (text("file").expect("a column"), text("raw"));
    let records = batch.column_by_name("record").expect("a column").as_primitive::<UInt32Type>();
    let row =
        |row| (files.value(row).to_owned(), records.value(row), raws.map_or("", |raws| raws.value(row)).to_owned());
    (0..batch.num_rows()).map(row).collect()
}

fn gzip(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut file = Vec::new();
    GzEncoder::new(text.as_ref(), Compression::fast()).read_to_end(&mut file).expect("gzip");
    file
}

/// A record that names its file and number, with this many bytes of ballast.
fn record(file: &str, number: usize, ballast: usize) -> String {
    format!(
        "{{\"eventName\":\"Name{}\",\"eventID\":\"{file} {number}\",\"requestParameters\":{{\"x\":\"{}\"}}}}",
        number % 7,
        "é-".repeat(ballast / 3)
    )
}

fn records(file: &str, count: usize, ballast: usize) -> Vec<String> {
    (0..count).map(|number| record(file, number, ballast)).collect()
}

fn log(records: &[String]) -> String {
    format!("{{\"Records\":[{}]}}", records.join(","))
}

/// The expected rows of a file with these records.
fn rows(file: &str, records: Vec<String>) -> Vec<(String, u32, String)> {
    records.into_iter().enumerate().map(|(number, record)| (file.to_owned(), number as u32, record)).collect()
}

/// An archive large enough for several tasks, and its rows: few records in many files and many records in a few files.
fn large_archive() -> (Archive, Vec<(String, u32, String)>) {
    let archive = Archive::new();
    let mut expected = Vec::new();
    for number in 0..1500 {
        let key = format!("a{}/{}.json{}", number % 3, number, if number % 2 == 0 { ".gz" } else { "" });
        let (count, ballast) = if number % 50 == 0 { (120, 2000) } else { (number % 4, 10) };
        let records = records(&key, count, ballast);
        archive.write(&key, if number % 2 == 0 { gzip(log(&records)) } else { log(&records).into_bytes() });
        expected.extend(rows(&key, records));
    }
    expected.sort_by(|one, other| one.0.as_bytes().cmp(other.0.as_bytes()).then(one.1.cmp(&other.1)));
    (archive, expected)
}

/// A small random number generator with a fixed seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end.max(1)
    }
}

#[test]
fn rows_come_in_key_order_whatever_the_number_of_threads() {
    let (archive, expected) = large_archive();
    for threads in 1..=4 {
        let outcome = read(&archive.run(|run| run.threads = threads)).below(&archive.path(""));
        assert!(outcome.rows == expected, "with {threads} threads");
        let report = outcome.report;
        assert!(report.complete);
        assert_eq!((report.files_read, report.files_bad, report.files_skipped()), (1500, 0, 0));
        assert_eq!((report.records_read, report.records_bad, report.records_filtered), (expected.len() as u64, 0, 0));
    }
}

#[test]
fn an_empty_archive_ends_at_once() {
    let outcome = Archive::new().read();
    assert!(outcome.rows.is_empty() && outcome.error.is_none() && outcome.report.complete);
}

#[test]
fn every_file_and_every_record_is_counted_once() {
    let archive = Archive::new();
    archive.write("01 good.json", log(&records("a", 3, 0)));
    archive
        .write("02 bad records.json.gz", gzip(r#"{"Records":[1,{"eventName":"Name0"},null,{"eventName":"Name1"}]}"#));
    archive.write("03 empty.json", "");
    archive.write("04 truncated.json.gz", &gzip(log(&records("b", 2, 3000)))[..60]);
    archive.write("05 cut.json", &log(&records("c", 2, 0))[..120]);
    archive.write("06 digest.json", r#"{"digestStartTime":"s","digestEndTime":"e"}"#);
    archive.write("07 text.txt", "hello");
    archive.write("08 text.json", "hello");
    archive.write("09 more.json.gz", [gzip(log(&records("d", 1, 0))), b"\0\0\0".to_vec()].concat());
    archive.write("10 records.json", r#"{"Records":{}}"#);
    let outcome = archive.read();
    assert_eq!(
        outcome.bad(&archive),
        [
            "03 empty.json: empty file, 0 kept",
            "04 truncated.json.gz: truncated gzip: the file ends inside member 1 at byte 60 (record 0), 0 kept",
            "05 cut.json: invalid JSON: unexpected end at byte 120 (record 1), 1 kept",
            "08 text.json: neither gzip nor JSON: starts with 0x68 at byte 0, 0 kept",
        ]
    );
    let report = &outcome.report;
    assert_eq!(
        report.warnings.iter().map(|finding| finding.error.kind().name()).collect::<Vec<_>>(),
        ["not-cloudtrail", "not-cloudtrail", "trailing-bytes", "not-cloudtrail"]
    );
    assert_eq!((report.files_read, report.files_bad), (3, 4));
    assert_eq!(
        report.skipped.iter().map(|(reason, count)| (reason.name(), *count)).collect::<Vec<_>>(),
        [("name", 1), ("digest", 1), ("not-cloudtrail", 1)]
    );
    assert_eq!(report.skipped_records.values().sum::<u64>(), 4);
    assert_eq!((report.records_read, report.records_bad, report.records_filtered), (7, 0, 0));
    assert_eq!(outcome.rows.len(), 7);

    // With a predicate, records that do not meet it are skipped; nothing else changes.
    let test = Test::In(vec!["Name1".into(), "Name2".into()]);
    let filtered = read(&archive.meeting(Pushed::column("eventName", test)));
    let report = filtered.report;
    assert_eq!((report.records_read, report.records_bad, report.records_filtered), (3, 0, 4));
    assert_eq!((report.files_read, report.files_bad, report.files_skipped()), (3, 4, 3));
    assert_eq!(filtered.rows.iter().map(|(_, record, _)| *record).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_file_that_is_named_and_missing_is_bad_and_the_others_are_read() {
    let archive = Archive::new();
    archive.write("a.json", log(&records("a", 2, 0)));
    let files = ["a.json", "b.json", "a.json"].map(|key| archive.0.path().join(key)).to_vec();
    let outcome = read(&Plan { selection: below(files), ..archive.plan() });
    assert_eq!(outcome.rows.len(), 4);
    assert_eq!(outcome.bad(&archive), ["b.json: cannot read: No such file or directory, 0 kept"]);
    assert_eq!((outcome.report.files_read, outcome.report.files_bad), (2, 1));
}

#[test]
fn the_first_failure_in_key_order_ends_a_scan_that_is_to_fail() {
    let (archive, expected) = large_archive();
    let bad = "a1/1000.json.gz";
    for key in [bad, "a1/1003.json.gz", "a2/1001.json", "a2/5.json.gz"] {
        archive.write(key, "{");
    }
    for threads in 1..=4 {
        let outcome = read(&archive.run(|run| (run.fail, run.threads) = (true, threads))).below(&archive.path(""));
        let error = outcome.error.expect("a failure").to_string();
        assert_eq!(
            error.replace(&archive.path(""), ""),
            format!("{bad}: invalid JSON: unexpected end at byte 1 (record 0)")
        );
        assert!(!outcome.report.complete);
        // The rows are a beginning of the expected ones, and none is from after the failure.
        assert!(outcome.rows.iter().all(|(file, ..)| file.as_str() < bad), "with {threads} threads");
        assert!(expected.starts_with(&outcome.rows), "with {threads} threads");
    }
}

#[test]
fn a_bad_record_too_ends_a_scan_that_is_to_fail() {
    let archive = Archive::new();
    archive.write("a.json", r#"{"Records":[{"eventName":"A"},"{"]}"#);
    archive.write("b.json", "");
    let error = read(&archive.run(|run| run.fail = true)).error.expect("a failure").to_string();
    assert_eq!(error.replace(&archive.path(""), ""), "a.json: invalid JSON: unexpected end at byte 30 (record 1)");
}

#[test]
fn a_scan_that_has_failed_or_is_closed_gives_nothing_more_and_is_not_complete() {
    let (archive, _) = large_archive();
    archive.write("a0/500.json", "{");
    let mut scan = Scan::start(&archive.run(|run| run.fail = true), Live::default()).expect("threads");
    while let Ok(next) = scan.next(Duration::from_secs(1)) {
        assert!(!matches!(next, Next::End), "a bad file");
    }
    assert!(matches!(scan.next(Duration::from_secs(1)), Ok(Next::End)));
    assert!(!scan.report().complete);

    let mut scan = Scan::start(&archive.plan(), Live::default()).expect("threads");
    while matches!(scan.next(Duration::from_secs(1)), Ok(Next::Waiting)) {}
    scan.close();
    assert!(matches!(scan.next(Duration::from_secs(1)), Ok(Next::End)));
    assert!(!scan.report().complete);
}

#[test]
fn a_scan_that_is_dropped_early_ends_its_threads() {
    let (archive, _) = large_archive();
    for batches in 0..3 {
        let plan = archive.run(|run| run.threads = 4);
        let (done, is_done) = mpsc::channel();
        std::thread::spawn(move || {
            let mut scan = Scan::start(&plan, Live::default()).expect("threads");
            for _ in 0..batches {
                while matches!(scan.next(Duration::from_secs(1)), Ok(Next::Waiting)) {}
            }
            drop(scan); // waits for its threads
            done.send(()).expect("a reader");
        });
        is_done.recv_timeout(Duration::from_secs(60)).expect("the threads have ended");
    }
}

#[test]
fn a_reader_is_not_kept_waiting_longer_than_it_wants() {
    let archive = Archive::new();
    archive.write("a.json", log(&records("a", 20_000, 100)));
    let mut scan = Scan::start(&archive.plan(), Live::default()).expect("threads");
    let start = Instant::now();
    let first = scan.next(Duration::ZERO).expect("no failure");
    assert!(matches!(first, Next::Waiting) && start.elapsed() < Duration::from_secs(1), "{first:?}");
}

#[test]
fn a_batch_without_rows_has_the_columns_of_every_other() {
    let archive = Archive::new();
    archive.write("a.json", log(&records("a.json", 3, 0)));
    let every = Arc::new(Stated::from(Form::Not(Box::new(Form::Category("none".to_owned())))));
    for rules in [None, Some(vec![("every".to_owned(), every)])] {
        let mut plan = archive.plan();
        plan.query.rules = rules;
        let mut scan = Scan::start(&plan, Live::default()).expect("threads");
        let empty = scan.no_rows().expect("batches as they come");
        let batch = loop {
            match scan.next(Duration::from_secs(10)).expect("a good archive") {
                Next::Batch(batch) => break batch,
                Next::Waiting => {}
                Next::End => panic!("no batch"),
            }
        };
        assert_eq!((empty.num_rows(), empty.schema()), (0, batch.schema()));
    }
}

/// Records of `size` bytes together, each with its own number.
fn many(size: usize) -> Vec<String> {
    let mut bytes = 0;
    let records = (0..).map(|number| record("large", number, 900 + number % 64));
    records
        .take_while(|record| {
            bytes += record.len() + 1;
            bytes < size
        })
        .collect()
}

#[test]
fn a_file_that_is_streamed_gives_what_was_written() {
    let archive = Archive::new();
    // More than 24 MB as stored.
    let stored = many(26 << 20);
    archive.write("a array.json", format!("[{}]", stored.join(",\n")));
    archive.write("b lines.log", stored.join("\n"));
    let outcome = archive.read();
    assert_eq!(outcome.bad(&archive), Vec::<String>::new());
    assert!(outcome.rows == [rows("a array.json", stored.clone()), rows("b lines.log", stored)].concat());
}

#[test]
fn a_file_that_inflates_to_much_is_streamed_and_gives_what_was_written() {
    let archive = Archive::new();
    // More than 64 MB of text; white space keeps it cheap.
    let space = " ".repeat(4 << 20);
    let records = records("a", 18, 900);
    let text = format!("{{\"Records\":[{}],\"x\":1}}", records.join(&format!(",{space}")));
    let file = gzip(&text);
    archive.write("a.json.gz", &file);
    let outcome = archive.read();
    assert_eq!(outcome.bad(&archive), Vec::<String>::new());
    assert!(outcome.rows == rows("a.json.gz", records));
    assert_eq!((outcome.report.bytes_stored, outcome.report.bytes_inflated), (file.len() as u64, text.len() as u64));
}

/// The most bytes of a record: `bounds::RECORD`.
const RECORD: usize = 1 << 20;

/// A record of this many bytes, which hardly compress.
fn sized(number: usize, size: usize) -> String {
    let mut dice = Dice(number as u64 + 1);
    let record = record("a", number, 0);
    let text: String = (0..size - record.len()).map(|_| char::from(b'a' + dice.below(26) as u8)).collect();
    record.replace("\"x\":\"", &format!("\"x\":\"{text}"))
}

#[test]
fn a_record_may_have_a_megabyte_wherever_it_stands_and_not_a_byte_more() {
    for (shape, separator, end) in [("{\"Records\":[", ",", "]}"), ("[", ",", "]"), ("", "\n", "")] {
        for too_large in [false, true] {
            // Some megabytes come first, so that windows end inside of records; the last record is at the limit.
            let mut all: Vec<_> = (0..5).map(|number| sized(number, 700_000 + number)).collect();
            all.push(sized(5, RECORD + usize::from(too_large)));
            all.push(sized(6, 100));
            let text = format!("{shape}{}{end}", all.join(separator));
            let archive = Archive::new();
            archive.write("a.json", &text);
            archive.write("b.json.gz", gzip(&text));
            // Inflated at once, but larger than an arena.
            let more = format!("{shape}{}{end}", [&all[..5], &all[..5], &all[..5], &all[..]].concat().join(separator));
            archive.write("c.json.gz", gzip(&more));
            let outcome = archive.read();
            // It costs only its line in a file of lines, else everything after it as well.
            let cost = if shape.is_empty() { 1 } else { 2 };
            let expected = |count| if too_large { count - cost } else { count };
            let mut whole = all.clone();
            if too_large {
                whole.drain(5..5 + cost);
            }
            let found = |file| {
                outcome.rows.iter().filter(move |row| row.0 == file).map(|row| row.2.clone()).collect::<Vec<_>>()
            };
            assert!(found("a.json") == whole, "{shape}");
            assert!(found("b.json.gz") == found("a.json"), "{shape}");
            assert_eq!(found("c.json.gz").len(), expected(22), "{shape}");
            let at = text.find(&all[5]).expect("there");
            let message = |file: &str, byte: usize, record: usize| {
                let kept = record + 2 - cost;
                format!(
                    "{file}: one document is larger than {RECORD} bytes at byte {byte} (record {record}), {kept} kept"
                )
            };
            let bad = if too_large {
                let last = more.find(&all[5]).expect("there");
                vec![message("a.json", at, 5), message("b.json.gz", at, 5), message("c.json.gz", last, 20)]
            } else {
                Vec::new()
            };
            assert_eq!(outcome.bad(&archive), bad, "{shape}");
        }
    }
}

#[test]
fn a_large_listing_is_read_record_by_record_and_a_large_event_of_it_is_named() {
    let archive = Archive::new();
    for (name, list, member) in [("a", "Events", "CloudTrailEvent"), ("b", "logEvents", "message")] {
        let inner: Vec<_> = (0..8).map(|number| sized(number, 600_000)).collect();
        let element = |record: &String| format!("{{\"{member}\":{}}}", serde_json::to_string(record).expect("JSON"));
        let text = |records: &[String]| {
            format!("{{\"{list}\":[{}],\"x\":1}}", records.iter().map(element).collect::<Vec<_>>().join(","))
        };
        archive.write(&format!("{name} good.json"), text(&inner));
        let large = [&inner[..6], &[sized(9, RECORD)]].concat();
        archive.write(&format!("{name} large.json"), text(&large));
        let outcome = archive.read();
        let good = format!("{name} good.json");
        let found: Vec<_> = outcome.rows.into_iter().filter(|row| row.0 == good).collect();
        assert!(found == rows(&good, inner), "{name}");
    }
    let messages = archive.read().bad(&archive);
    assert_eq!(messages.len(), 2);
    for message in messages {
        assert!(
            message.contains("one document is larger than 1048576 bytes at byte")
                && message.ends_with("(record 6), 6 kept")
        );
    }
}

#[test]
fn batches_are_cut_inside_of_files_and_no_row_is_lost_or_altered() {
    let archive = Archive::new();
    // Many rows, and more text than fits in a batch: in one piece, in one call, and streamed.
    let small: Vec<_> = (0..150_000).map(|number| format!("{{\"eventID\":{number}}}")).collect();
    let long: Vec<_> = (0..20).map(|number| sized(number, 900_000)).collect();
    archive.write("a.json.gz", gzip(log(&small)));
    archive.write("b.json", log(&small));
    archive.write("c.json.gz", gzip(log(&long)));
    archive.write("d.json", log(&long));
    let expected: Vec<_> = [("a.json.gz", &small), ("b.json", &small), ("c.json.gz", &long), ("d.json", &long)]
        .into_iter()
        .flat_map(|(name, records)| rows(name, records.clone()))
        .collect();
    assert!(archive.read().rows == expected);
    for names in
        [&["file", "record", "raw"][..], &["file", "record", "extra"], &["record", "requestParameters", "file"]]
    {
        let mut scan = Scan::start(&archive.query(query(names)), Live::default()).expect("threads");
        let (mut found, mut counted) = (Vec::new(), 0);
        loop {
            match scan.next(Duration::from_secs(60)).expect("no failure") {
                Next::Batch(batch) => {
                    let texts: usize = batch
                        .columns()
                        .iter()
                        .map(|column| {
                            column.to_data().buffers().iter().skip(1).map(arrow_buffer::Buffer::len).max().unwrap_or(0)
                        })
                        .max()
                        .expect("columns");
                    assert!(
                        batch.num_rows() <= 64 << 10 && texts <= (8 << 20) + 2 * RECORD,
                        "{} rows, {texts} bytes",
                        batch.num_rows()
                    );
                    counted += batch.num_rows() as u64;
                    // When a batch comes, its rows are in the counts already.
                    assert_eq!(scan.report().records_read, counted);
                    found.extend(rows_of(&batch));
                }
                Next::Waiting => {}
                Next::End => break,
            }
        }
        let places = |rows: &[(String, u32, String)]| {
            rows.iter().map(|row| (row.0.replace(&archive.path(""), ""), row.1)).collect::<Vec<_>>()
        };
        assert!(places(&found) == places(&expected), "{names:?}");
    }
}

#[test]
fn the_first_bad_records_are_named_and_all_are_counted() {
    let archive = Archive::new();
    let elements: Vec<_> =
        (0..1_000).map(|number| if number % 2 == 0 { r#""{""# } else { r#"{"eventID":0}"# }.to_owned()).collect();
    for file in ["a.json", "b.json"] {
        archive.write(file, log(&elements));
    }
    let outcome = archive.read();
    assert_eq!((outcome.report.records_read, outcome.report.records_bad), (1_000, 1_000));
    let named: Vec<_> =
        outcome.report.bad.iter().map(|finding| (finding.error.location().record, finding.more)).collect();
    let expected: Vec<_> =
        (0..100).map(|number| (Some(2 * number), Some(if number == 99 { 400 } else { 0 }))).collect();
    assert_eq!(named, [&expected[..], &expected[..]].concat());

    for file in 0..101 {
        archive.write(&format!("c{file}.json"), log(&elements[..200]));
    }
    let report = archive.read().report;
    assert_eq!(report.bad.len(), 10_000);
    let counted: u64 = report.bad.iter().map(|finding| 1 + finding.more.expect("records")).sum();
    assert_eq!((counted + report.unnamed.records, report.records_bad), (1_000 + 101 * 100, 1_000 + 101 * 100));
    assert_eq!(report.unnamed.records, 300);
}

#[test]
fn damage_late_in_a_streamed_file_is_named_where_it_lies_and_what_came_before_is_kept() {
    let archive = Archive::new();
    let records = many(18 << 20);
    let mut text = log(&records).into_bytes();
    let at = text.len() - 500;
    text[at] = 0xff;
    archive.write("a.json", &text);
    let kept = records.len() - 1;
    let outcome = archive.read();
    assert_eq!(outcome.bad(&archive), [format!("a.json: invalid UTF-8 at byte {at} (record {kept}), {kept} kept")]);
    assert!(outcome.rows == rows("a.json", records[..kept].to_vec()));
}

#[test]
fn a_gzip_file_cut_anywhere_keeps_the_records_before_the_cut() {
    let archive = Archive::new();
    // Stored without compression, so that each record has its own bytes in the file.
    let records = records("a", 4, 0);
    let mut file = Vec::new();
    GzEncoder::new(log(&records).as_bytes(), Compression::none()).read_to_end(&mut file).expect("gzip");
    let cuts: Vec<_> = (2..file.len()).step_by(7).collect();
    for cut in &cuts {
        archive.write(&format!("{cut:05}.json.gz"), &file[..*cut]);
    }
    let outcome = archive.read();
    assert_eq!((outcome.report.files_bad, outcome.report.files_read), (cuts.len() as u64, 0));
    for (finding, cut) in outcome.report.bad.iter().zip(cuts) {
        assert_eq!(*finding.error.kind(), ErrorKind::TruncatedGzip(1), "cut at {cut}");
        let name = format!("{cut:05}.json.gz");
        let kept: Vec<_> = outcome.rows.iter().filter(|(file, ..)| *file == name).cloned().collect();
        assert_eq!(kept.len() as u64, finding.records_kept);
        assert_eq!(kept, rows(&name, records[..kept.len()].to_vec()));
        // The header and the block's own header are 15 bytes, `{"Records":[` is 12.
        let whole = cut.saturating_sub(27).div_euclid(records[0].len() + 1);
        assert!(kept.len() >= whole, "cut at {cut}");
    }
}

#[test]
fn limits_hold_for_whole_files() {
    let archive = Archive::new();
    let text = log(&records("a", 10, 0));
    let size = text.len() as u64;
    archive.write("1.json.gz", gzip(&text));
    archive.write("2.json.gz", [gzip(&text), gzip(&text)].concat());
    archive.write("3.json", [&text[..], &text].concat());
    archive.write("4.json", &text);
    let limits = Limits { inflated: 2 * size - 1, ..Limits::default() };
    let outcome = read(&archive.run(|run| run.limits = limits));
    let bad: Vec<_> = outcome
        .report
        .bad
        .iter()
        .map(|finding| (finding.error.location().key.clone(), finding.error.kind().clone()))
        .collect();
    assert_eq!(bad, ["2.json.gz", "3.json"].map(|key| (Some(archive.path(key)), ErrorKind::TooLarge(2 * size - 1))));

    archive.write("5.json.gz", gzip(vec![b' '; 17 << 20]));
    let outcome = read(&archive.run(|run| run.limits.ratio = 50));
    assert_eq!(
        outcome.report.bad.iter().map(|finding| finding.error.kind().clone()).collect::<Vec<_>>(),
        [ErrorKind::Ratio(50)]
    );
}

#[test]
fn files_without_the_constant_are_skipped_and_no_row_is_lost_by_it() {
    let archive = Archive::new();
    archive.write("1.json.gz", gzip(r#"{"Records":[{"eventName":"GetKey"},{"eventName":"GetKeys"}]}"#));
    archive.write("2.json.gz", gzip(r#"{"Records":[{"eventName":"PutKey"}]}"#));
    archive.write("3.json.gz", gzip(r#"{"Records":[{"eventName":"\u0047etKey"}]}"#));
    let test = Test::In(vec!["GetKey".into()]);
    let outcome = read(&archive.meeting(Pushed::column("eventName", test))).below(&archive.path(""));
    assert_eq!(
        outcome.rows.iter().map(|(file, record, _)| (file.as_str(), *record)).collect::<Vec<_>>(),
        [("1.json.gz", 0), ("3.json.gz", 0)]
    );
    assert_eq!(outcome.report.skipped.get(&Skip::Constant), Some(&1));
    assert_eq!((outcome.report.files_read, outcome.report.records_read, outcome.report.records_filtered), (2, 2, 1));
}

#[test]
fn a_choice_of_columns_gives_the_same_values_as_all_of_them() {
    let (archive, _) = large_archive();
    let all: Vec<_> = schema::names().collect();
    let batches = |names: &[&str]| {
        let mut scan = Scan::start(&archive.query(query(names)), Live::default()).expect("threads");
        let mut batches = Vec::new();
        loop {
            match scan.next(Duration::from_secs(1)).expect("no failure") {
                Next::Batch(batch) => batches.push(batch),
                Next::Waiting => {}
                Next::End => return batches,
            }
        }
    };
    let text = |batches: &[RecordBatch], name: &str| -> Vec<Option<String>> {
        let columns = batches.iter().map(|batch| batch.column_by_name(name).expect("a column").as_string_view());
        columns.flat_map(|column| column.iter().map(|value| value.map(str::to_owned)).collect::<Vec<_>>()).collect()
    };
    let whole = batches(&all);
    for names in [&["eventID"][..], &["requestParameters", "eventName"], &["raw"], &["file", "errorCode"]] {
        let some = batches(names);
        for name in names {
            assert!(text(&some, name) == text(&whole, name), "{name} of {names:?}");
        }
    }
}

#[test]
fn garbage_is_bad_or_read_but_never_a_bug() {
    let archive = Archive::new();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let good = [
        log(&records("é", 3, 40)),
        format!("[{}]", records("b", 2, 0).join(" , ")),
        records("c", 3, 10).join("\n"),
        r#"{"Events":[{"CloudTrailEvent":"{\"eventName\":\"\\u0041\"}"},{"CloudTrailEvent":"{}"}]}"#.to_owned(),
        "2023-07-10T11:42:36Z {\"eventName\":\"A\",\"resources\":[{\"ARN\":\"a\",\"x\":1},2]}".to_owned(),
    ];
    let count = 1200;
    for number in 0..count {
        let mut text = good[dice.below(good.len())].clone().into_bytes();
        let zip = dice.below(3) > 0;
        let damage = |bytes: &mut Vec<u8>, dice: &mut Dice| match dice.below(5) {
            0 => bytes.truncate(dice.below(bytes.len() + 1)),
            1 => (0..dice.below(200)).for_each(|_| bytes.push(dice.below(256) as u8)),
            2 => *bytes = (0..dice.below(200)).map(|_| dice.below(256) as u8).collect(),
            _ => {
                for _ in 0..=dice.below(3) {
                    let at = dice.below(bytes.len());
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte =
                            if dice.below(2) == 0 { b"\"\\{}[],:\0u"[dice.below(10)] } else { dice.below(256) as u8 };
                    }
                }
            }
        };
        if dice.below(4) > 0 {
            damage(&mut text, &mut dice);
        }
        let mut file = if zip { gzip(&text) } else { text };
        if dice.below(4) == 0 {
            damage(&mut file, &mut dice);
        }
        archive.write(&format!("{number}.gz"), file);
    }
    let all: Vec<_> = schema::names().collect();
    let outcome = read(&archive.query(query(&all)));
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    let report = outcome.report;
    assert_eq!(report.files_read + report.files_bad + report.files_skipped(), count);
    assert_eq!(report.records_read, outcome.rows.len() as u64);
    let of_records =
        |finding: &&ctfast_core::scan::Finding| finding.error.location().record.is_some() && !finding.error.is_damage();
    assert!(report.bad.iter().filter(of_records).count() as u64 <= report.records_bad);
    assert_eq!(report.bad.len() as u64, report.files_bad + report.records_bad);
    assert!(report.bad.iter().all(|finding| *finding.error.kind() != ErrorKind::Bug));
    assert!(report.files_read > 100 && report.files_bad > 100, "both happen");
    for (_, _, raw) in outcome.rows {
        assert!(raw.starts_with('{') && raw.ends_with('}'), "{raw}");
    }
}

#[test]
fn a_path_is_read_as_it_is_named() {
    let archive = Archive::new();
    archive.write("x/a.json", log(&records("a", 1, 0)));
    let root = PathBuf::from(format!(
        "{}/../{}/x",
        archive.path("."),
        archive.0.path().file_name().expect("a name").to_string_lossy()
    ));
    let outcome = read(&Plan { selection: below(vec![root.clone()]), ..archive.plan() });
    assert_eq!(outcome.rows[0].0, format!("{}/a.json", root.display()));
}

#[test]
fn each_file_has_one_row_in_the_ledger_and_records_before_the_first_are_no_news() {
    let archive = Archive::new();
    archive.write("a.json", format!("{{\"Records\": [{}, 7]}}", record("a", 0, 0)));
    archive.write("b.json", "");
    archive.write("c.json", format!("{{\"Records\": [{}, {}, ", record("c", 0, 0), record("c", 1, 0)));
    let files = ["a.json", "b.json", "c.json", "gone.json"];
    let plan = |first: u64| {
        let named = |file| Named { source: archive.path(file).into(), size: None, etag: None, first };
        let sources = Sources::Named(files.map(named).into());
        Plan { selection: Selection { sources, choice: Choice::default() }, ..archive.plan() }
    };
    let kept = |first: u64| {
        let ledger = Arc::new(Ledger::new(false));
        let live = Live { ledgers: vec![Arc::clone(&ledger)], ..Live::default() };
        let outcome = read_with(&plan(first), live);
        (outcome, ledger.take().expect("rows in memory"))
    };
    let line = |row: &Row| (row.outcome, row.reason.clone(), row.read, row.bad, row.skipped);
    let (_, whole) = kept(0);
    let expected = [
        (ledger::Outcome::Read, None, 1, 0, 1),
        (ledger::Outcome::Bad, Some("empty".into()), 0, 0, 0),
        (ledger::Outcome::Bad, Some("invalid-json".into()), 2, 0, 0),
        (ledger::Outcome::Bad, Some("unreadable".into()), 0, 0, 0),
    ];
    assert_eq!(whole.iter().map(line).collect::<Vec<_>>(), expected);
    assert_eq!(whole.iter().map(|row| row.key.clone()).collect::<Vec<_>>(), files.map(|file| archive.path(file)));
    assert_eq!(whole[0].size, Some(fs::metadata(archive.path("a.json")).expect("a file").len()));
    let (outcome, rest) = kept(1);
    assert_eq!(outcome.rows.iter().map(|(_, record, _)| *record).collect::<Vec<_>>(), [1]);
    assert_eq!(line(&rest[0]), (ledger::Outcome::Read, None, 0, 0, 2));
    assert_eq!(line(&rest[2]), (ledger::Outcome::Bad, Some("invalid-json".into()), 1, 0, 1));
}

#[test]
fn a_thread_that_panics_ends_the_scan_with_an_error() {
    for threads in [1, 2] {
        let archive = Archive::new();
        archive.write("a.json", record("a.json", 0, 0));
        let listing = Listing::new(vec![archive.0.path().to_owned()], Choice::default());
        let files = Box::new(listing.chain(std::iter::from_fn(|| -> Option<Listed> { panic!("a bug") })));
        let mut scan =
            Scan::of_keys(files, &archive.run(|run| run.threads = threads), Live::default()).expect("threads");
        let error = (0..30).find_map(|_| scan.next(Duration::from_secs(1)).err());
        assert_eq!(error.as_ref().map(Error::kind), Some(&ErrorKind::Bug));
    }
}
