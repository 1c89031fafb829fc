//! Reads an archive as the Python package does, for profilers: `cargo run --profile profiling --example read -- DIR
//! [columns]`. With `--patterns=FILE`, records that meet one of the event patterns in the file, one per line, tagged
//! with their rules; with `--any` as well, by one filter.

#![expect(clippy::print_stdout, reason = "a program")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ctfast_core::filter::{Form, Language, Pushed, Stated, Switches, Test};
use ctfast_core::scan::{Query, Run, Selection, Sources};
use ctfast_core::source::Choice;
use ctfast_core::{Limits, Live, Next, Plan, Scan, schema};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (options, words): (Vec<_>, Vec<_>) = arguments.into_iter().partition(|argument| argument.starts_with("--"));
    let columns: Vec<String> =
        if words.len() > 1 { words[1..].to_vec() } else { schema::names().map(str::to_owned).collect() };
    let predicate = options
        .iter()
        .find_map(|option| option.strip_prefix("--event-name="))
        .map(|name| Pushed::column("eventName", Test::In(vec![name.to_owned()])).expect("a column"));
    let number = |name: &str| options.iter().find_map(|option| option.strip_prefix(name)?.parse().ok());
    let (threads, rounds) = (number("--threads=").unwrap_or(2), number("--rounds=").unwrap_or(5));
    let keep = options.iter().any(|option| option == "--keep");
    let dedupe = options.iter().any(|option| option == "--dedupe");
    let mut query = Query::new(columns).expect("known columns");
    (query.predicate, query.dedupe) = (predicate, dedupe);
    let patterns = options.iter().find_map(|option| option.strip_prefix("--patterns=")).map(patterns);
    if options.iter().any(|option| option == "--any") {
        query.condition = patterns.map(|patterns| Arc::new(Stated::any(patterns.iter().map(|(_, stated)| &**stated))));
    } else {
        query.rules = patterns;
    }
    let plan = Plan {
        selection: Selection { sources: Sources::Below(vec![PathBuf::from(&words[0])]), choice: Choice::default() },
        query,
        run: Run { threads, limits: Limits::default(), fail: true, recut: None },
    };
    for _ in 0..rounds {
        let start = Instant::now();
        let mut scan = Scan::start(&plan, Live::default()).expect("threads");
        let (mut rows, mut kept) = (0, Vec::new());
        loop {
            match scan.next(Duration::from_secs(1)).expect("a good archive") {
                Next::Batch(batch) => {
                    rows += batch.num_rows();
                    if keep {
                        kept.push(batch);
                    }
                }
                Next::Waiting => {}
                Next::End => break,
            }
        }
        println!("{rows} rows, {} bytes in {:?}", scan.report().bytes_inflated, start.elapsed());
    }
}

/// The event patterns in a file, each a line, with their numbers as names.
fn patterns(path: &str) -> Vec<(String, Arc<Stated>)> {
    let language = Language::of("event pattern").expect("a language");
    let text = fs::read_to_string(path).expect("a file of patterns");
    let patterns = text.lines().map(|line| language.read(line, Switches::default()).expect("an event pattern"));
    patterns
        .enumerate()
        .map(|(number, written)| (number.to_string(), Arc::new(Form::Written(written).into())))
        .collect()
}
