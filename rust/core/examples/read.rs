//! Reads an archive as the Python package does, for profilers: `cargo run --profile profiling --example read -- DIR [columns]`.

#![expect(clippy::print_stdout, reason = "a program")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ctfast_core::dedupe::Dedupe;
use ctfast_core::filter::{Field, Predicate, Test};
use ctfast_core::source::{Listing, Selection};
use ctfast_core::{Limits, Next, Plan, Scan, schema};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (options, words): (Vec<_>, Vec<_>) = arguments.into_iter().partition(|argument| argument.starts_with("--"));
    let columns: Vec<String> = if words.len() > 1 { words[1..].to_vec() } else { schema::names().map(str::to_owned).collect() };
    let predicate = options.iter().find_map(|option| option.strip_prefix("--event-name=")).map(|name| {
        let test = Test::In(vec![name.to_owned()]);
        Predicate::Column(Field::new("eventName", &test).expect("a column"), test)
    });
    let threads = options.iter().find_map(|option| option.strip_prefix("--threads=")?.parse().ok()).unwrap_or(2);
    let keep = options.iter().any(|option| option == "--keep");
    let dedupe = options.iter().any(|option| option == "--dedupe");
    for _ in 0..5 {
        let start = Instant::now();
        let mut scan = Scan::start(Plan {
            files: Box::new(Listing::new(vec![PathBuf::from(&words[0])], Selection::default())),
            schema: Arc::new(schema::project(&columns).expect("known columns")),
            text: None,
            predicate: predicate.clone(),
            rules: None,
            fail: true,
            limits: Limits::default(),
            threads,
            hashes: None,
            remote: None,
            keeps_remote: false,
            sizes: None,
            ledger: false,
            ledgers: Vec::new(),
            dedupe: dedupe.then(|| Arc::new(Dedupe::new(true))),
        })
        .expect("threads");
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
