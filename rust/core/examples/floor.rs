//! The floors that every speed of ctfast is compared with (`ctfast_core::floor`): read and inflate every file into a
//! reused buffer, nothing else; or, with `--sha256`, also hash the text.
//!
//! `cargo run --release --example floor -- DIR [--threads 2] [--rounds 5] [--sha256]` prints one line of JSON.

#![expect(clippy::print_stdout, reason = "a program")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ctfast_core::floor::pass;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut folder, mut threads, mut rounds, mut sha256) = (None, 2, 5, false);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse().ok()).expect("a number");
        match argument.as_str() {
            "--threads" => threads = number(),
            "--rounds" => rounds = number(),
            "--sha256" => sha256 = true,
            _ => folder = Some(PathBuf::from(argument)),
        }
    }
    let mut files = Vec::new();
    list(&folder.expect("a folder"), &mut files);
    files.sort();
    let mut seconds = Vec::new();
    let mut bytes: u64 = 0;
    for _ in 0..rounds {
        let start = Instant::now();
        let texts = pass(&files, threads, sha256).expect("threads");
        seconds.push(format!("{:.6}", start.elapsed().as_secs_f64()));
        bytes = texts.into_iter().map(|text| text.expect("a gzip file")).sum();
    }
    println!(r#"{{"seconds": [{}], "bytes_inflated": {bytes}, "files": {}}}"#, seconds.join(", "), files.len());
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            list(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "gz") {
            files.push(path);
        }
    }
}
