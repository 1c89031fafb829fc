//! Verifications, as Python objects.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};

use arrow_array::RecordBatch;
use ctfast_core::Limits;
use ctfast_core::digest::{Keys, PublicKey, Saved, Signatures};
use ctfast_core::integrity::{self, Places, Plan, Root};
use ctfast_core::source::object;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrow::Batch;
use crate::digest::Hashes;
use crate::error::to_exception;
use crate::ledger::Ledger;
use crate::patience::{PATIENCE, lock};
use crate::remote::Remote;

/// Fingerprint, DER, region, and the time in which it is valid.
type Key = (String, Vec<u8>, Option<String>, Option<(i64, i64)>);
/// Name, signature, algorithm, whether there is a generation time, and which.
type Metadata = (String, Option<String>, Option<String>, bool, Option<i64>);

/// A running verification.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Verify {
    running: Mutex<integrity::Verify>,
    ledger: Option<Arc<ctfast_core::ledger::Ledger>>,
    remote: Option<Arc<object::Remote>>,
}

#[pymethods]
impl Verify {
    #[new]
    #[pyo3(signature = (
        roots, *, keys, signatures, since, until, accounts, regions, trails, now, threads, max_inflated, max_ratio,
        hashes, details, ledger=None, remote=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a private class")]
    fn new(
        py: Python<'_>,
        roots: Vec<(PathBuf, Option<(String, String)>)>,
        keys: Vec<Key>,
        signatures: Vec<Metadata>,
        since: Option<i64>,
        until: Option<i64>,
        accounts: Option<HashSet<String>>,
        regions: Option<HashSet<String>>,
        trails: Option<HashSet<String>>,
        now: i64,
        threads: usize,
        max_inflated: u64,
        max_ratio: u64,
        hashes: Option<PyRef<'_, Hashes>>,
        details: bool,
        ledger: Option<PyRef<'_, Ledger>>,
        remote: Option<PyRef<'_, Remote>>,
    ) -> PyResult<Self> {
        let remote = remote.map(|remote| Arc::clone(&remote.remote));
        let plan = Plan {
            roots: roots.into_iter().map(|(path, origin)| Root { path, origin }).collect(),
            keys: public_keys(keys),
            signatures: saved(signatures),
            since,
            until,
            places: Places { accounts, regions },
            trails,
            now,
            limits: Limits { inflated: max_inflated, ratio: max_ratio },
            threads,
            hashes: hashes.map(|hashes| Arc::clone(&hashes.0)),
            details,
            remote: remote.clone(),
        };
        let start = || integrity::Verify::start(plan);
        let verify = match &remote {
            None => py.detach(start),
            Some(remote) => py.detach(|| heeding_signals(remote, start))?,
        };
        let verify = verify.map_err(|error| to_exception(py, &error))?;
        let ledger = ledger.map(|ledger| Arc::clone(&ledger.0));
        Ok(Self { running: Mutex::new(verify), ledger, remote })
    }

    /// The findings of the next part of the work; None if everything is done.
    fn step<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        py.check_signals()?;
        let step = || lock(&self.running).step();
        let output = match &self.remote {
            None => py.detach(step),
            Some(remote) => py.detach(|| heeding_signals(remote, step))?,
        };
        let Some(output) = output else { return Ok(None) };
        if let Some(ledger) = &self.ledger {
            py.detach(|| ledger.extend(output.files())).map_err(|error| to_exception(py, &error))?;
        }
        let dict = PyDict::new(py);
        let put = |name: &str, batch: RecordBatch| {
            if batch.num_rows() > 0 { dict.set_item(name, Batch(batch)) } else { Ok(()) }
        };
        put("digests", output.digest_batch())?;
        put("logs", output.log_batch())?;
        put("unlisted", output.unlisted_batch())?;
        put("findings", output.finding_batch())?;
        put("spans", output.span_batch())?;
        put("missing", output.missing_batch())?;
        put("ranges", output.range_batch())?;
        put("keys", output.key_batch())?;
        let integrity::Counts { digests, backfills, logs, vouched, unlisted, findings, .. } = output.counts;
        let counts = [
            ("digests", &digests[..]),
            ("backfills", &backfills),
            ("logs", &logs),
            ("vouched", &vouched),
            ("unlisted", &unlisted),
            ("findings", &findings),
        ];
        dict.set_item(
            "counts",
            counts.into_iter().map(|(name, counts)| (name, counts.to_vec())).collect::<HashMap<_, _>>(),
        )?;
        let integrity::Progress { files, stored, inflated, places } = output.progress;
        dict.set_item("progress", (files, stored, inflated, places.0, places.1))?;
        Ok(Some(dict))
    }

    /// Trails whose digests were skipped, since other trails are selected.
    fn other_trails(&self) -> Vec<String> {
        lock(&self.running).other_trails().map(str::to_owned).collect()
    }

    /// Empty frames with their columns, by name.
    #[staticmethod]
    fn empty() -> HashMap<&'static str, Batch> {
        let output = integrity::Output::default();
        let batches = [
            ("digests", output.digest_batch()),
            ("logs", output.log_batch()),
            ("unlisted", output.unlisted_batch()),
            ("findings", output.finding_batch()),
            ("spans", output.span_batch()),
            ("missing", output.missing_batch()),
            ("ranges", output.range_batch()),
            ("keys", output.key_batch()),
        ];
        batches.map(|(name, batch)| (name, Batch(batch))).into()
    }
}

/// Does some work that may wait for a bucket; Ctrl-C cancels its requests.
fn heeding_signals<T: Send>(remote: &object::Remote, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    std::thread::scope(|scope| {
        let (sender, done) = mpsc::channel();
        scope.spawn(move || sender.send(work()));
        loop {
            match done.recv_timeout(PATIENCE) {
                Ok(found) => return Ok(found),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(PyRuntimeError::new_err("a worker of ctfast panicked"));
                }
                Err(RecvTimeoutError::Timeout) => {
                    Python::attach(|py| py.check_signals().inspect_err(|_| remote.close()))?;
                }
            }
        }
    })
}

fn public_keys(rows: Vec<Key>) -> Keys {
    let mut keys = Keys::default();
    for (fingerprint, der, region, valid) in rows {
        keys.add(fingerprint, PublicKey { der, region, valid });
    }
    keys
}

fn saved(rows: Vec<Metadata>) -> Signatures {
    let mut signatures = Signatures::default();
    for (name, signature, algorithm, is_backfill, generated) in rows {
        signatures.add(name, Saved { signature, algorithm, backfill: is_backfill.then_some(generated) });
    }
    signatures
}
