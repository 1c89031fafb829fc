//! Rows and findings about a place, with what they have in common.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::digest::{Content, Name, Provenance};
use crate::source::key::Key;
use crate::source::path_text;

use super::archive::Place;
use super::finding::{DigestRow, Finding, LogRow, MissingRow, Reason, Span, State, Status};
use super::missing::Missing;
use super::node::ChainId;

impl Place {
    /// About the place as a whole.
    pub(super) fn finding(&self, reason: Reason, message: String) -> Finding {
        Finding {
            severity: reason.severity(),
            reason,
            message,
            file: None,
            account: Some(self.account.clone()),
            region: Some(self.region.clone()),
            trail: None,
            time: None,
        }
    }

    /// About one of its chains.
    pub(super) fn finding_of(
        &self,
        id: &ChainId,
        reason: Reason,
        message: String,
        file: Option<String>,
        time: i64,
    ) -> Finding {
        Finding { file, trail: Some(id.trail.clone()), time: Some(time), ..self.finding(reason, message) }
    }

    pub(super) fn log_row(
        &self,
        at: Name,
        path: Option<PathBuf>,
        digest: Arc<str>,
        (status, reason): (Status, Option<Reason>),
        (content, byte): (Option<Content>, Option<u64>),
    ) -> LogRow {
        LogRow {
            file: path.map_or_else(|| at.key.clone(), |path| path_text(&path)),
            bucket: at.bucket,
            key: at.key,
            account: Arc::clone(&self.account),
            region: Arc::clone(&self.region),
            digest,
            status,
            reason,
            content,
            byte,
        }
    }

    pub(super) fn log_finding(&self, reason: Reason, message: String, at: &Name, path: Option<&Path>) -> Finding {
        let file = Some(path.map_or_else(|| at.key.clone(), path_text));
        let time = Key::parse(&at.key).map(|key| key.time);
        Finding { file, time, ..self.finding(reason, message) }
    }

    pub(super) fn missing_row(&self, id: &ChainId, missing: &Missing, file: Option<String>) -> MissingRow {
        let Place { account, region, .. } = self.clone();
        let (start, end) = missing.hours();
        let (bucket, key) = missing.at.clone().map(|Name { bucket, key }| (bucket, key)).unzip();
        MissingRow {
            account,
            region,
            trail: id.trail.clone(),
            home_region: id.home_region.clone(),
            backfill: id.backfill,
            start,
            end,
            digests: missing.count,
            why: missing.why.clone(),
            file,
            bucket,
            key,
        }
    }

    pub(super) fn span(&self, id: &ChainId, start: i64, end: i64, state: State) -> Span {
        let Place { account, region, .. } = self.clone();
        Span { account, region, trail: id.trail.clone(), start, end, state, digests: 0, logs: 0, bad_logs: 0 }
    }

    /// A row, without the values of a specific digest.
    pub(super) fn digest_row(&self, id: &ChainId) -> DigestRow {
        let Place { account, region, .. } = self.clone();
        DigestRow {
            file: "".into(),
            bucket: None,
            key: None,
            account,
            region,
            trail: id.trail.clone(),
            home_region: id.home_region.clone(),
            backfill: id.backfill,
            start: None,
            end: 0,
            status: Status::Unverified,
            reason: None,
            signature: Provenance::None,
            fingerprint: None,
            logs: None,
            content: None,
            byte: None,
        }
    }
}
