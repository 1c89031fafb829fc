//! The floors that every speed of ctfast is measured against: read and inflate every file into a reused buffer, nothing else; or, with
//! `--sha256`, hash what was inflated as well.
//!
//! `cargo run --release --example floor -- DIR [--threads 2] [--rounds 5] [--sha256]` prints one line of JSON.

#![expect(clippy::print_stdout, reason = "a program")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

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
    let mut bytes = 0;
    for _ in 0..rounds {
        let start = Instant::now();
        bytes = inflate_all(&files, threads, sha256);
        seconds.push(format!("{:.6}", start.elapsed().as_secs_f64()));
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

fn inflate_all(files: &[PathBuf], threads: usize, sha256: bool) -> usize {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let worker = || {
            let mut decompressor = libdeflater::Decompressor::new();
            let (mut stored, mut text, mut bytes) = (Vec::new(), Vec::new(), 0);
            while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                stored.clear();
                fs::File::open(path).and_then(|mut file| file.read_to_end(&mut stored)).expect("a file");
                let length = stored.last_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize);
                if text.len() < length {
                    text.resize(length, 0);
                }
                let length = decompressor.gzip_decompress(&stored, &mut text).expect("a gzip file");
                if sha256 {
                    std::hint::black_box(ring::digest::digest(&ring::digest::SHA256, &text[..length]));
                }
                bytes += length;
            }
            bytes
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().expect("no panic")).sum()
    })
}
