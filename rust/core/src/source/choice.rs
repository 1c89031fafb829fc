//! Which files to read, by what their keys say.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::Arc;

use crate::clock::{DAY, HOUR};

use super::key::{DIGEST, Folders, Key, is_kind, is_of_other_service};
use super::{Seen, Skip};

/// Which files to read, of all that a listing finds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Accounts of the keys; `None` for all.
    pub accounts: Option<HashSet<String>>,
    /// Regions of the keys; `None` for all.
    pub regions: Option<HashSet<String>>,
    /// Kinds such as `CloudTrail-Insight`; `None` for all but digests.
    pub kinds: Option<HashSet<String>>,
    /// First event time, in microseconds since 1970.
    pub since: Option<i64>,
    /// Event time to stop before, in microseconds since 1970.
    pub until: Option<i64>,
    /// How long after its time an event may be delivered, in microseconds; `None` for any delay.
    pub max_delay: Option<i64>,
    /// Whether digest files are wanted as well, whatever `kinds` says.
    pub digests: bool,
}

/// A choice, and the state of a listing.
#[derive(Debug, Clone, Default)]
pub struct Sieve {
    /// Which files to read, by their keys.
    pub choice: Choice,
    /// The files to read, by their paths; `None` for all.
    pub files: Option<Arc<Paths>>,
    /// The first day that is not finished yet, by the part of a key before the day, without the slash.
    pub floors: Option<Arc<HashMap<String, String>>>,
    /// Collects the accounts, regions and kinds that the listing finds.
    pub seen: Option<Arc<Seen>>,
}

impl From<Choice> for Sieve {
    fn from(choice: Choice) -> Self {
        Self { choice, ..Self::default() }
    }
}

/// A set of paths, in little more than 8 bytes each.
///
/// They are kept as hashes with a random key, so that no path can be made to look like one of them.
#[derive(Debug, Default)]
pub struct Paths {
    hashes: HashSet<u64>,
    keys: RandomState,
}

impl Paths {
    /// Adds a path.
    pub fn add(&mut self, path: &str) {
        self.hashes.insert(self.keys.hash_one(path));
    }

    fn contains(&self, path: &str) -> bool {
        self.hashes.contains(&self.keys.hash_one(path))
    }
}

/// A file may hold events of up to an hour after the time in its name: AWS's own example holds some of seven minutes
/// after.
const MARGIN: i64 = HOUR;
/// Around midnight, the day of publication may differ from the day in the name.
const SLACK: i64 = DAY;

impl Sieve {
    /// Why to skip a file, by its key; `None` if it is to be read.
    #[must_use]
    pub fn skips(&self, key: &str) -> Option<Skip> {
        let Some(parsed) = Key::parse(key) else {
            let folders = key.rsplit_once('/').and_then(|(folders, _)| Folders::parse(folders)).unwrap_or_default();
            return match folders.kind {
                Some(kind) if !is_kind(kind) => Some(Skip::Service),
                _ if is_of_other_service(key) => Some(Skip::Service),
                Some(DIGEST) if !self.choice.digests => Some(Skip::Digest),
                _ if self.choice.needs_key() => Some(Skip::NoKey),
                _ => self.skips_file(key),
            };
        };
        let is_digest = parsed.is_digest() || parsed.kind == DIGEST;
        self.see(Some(parsed.account), Some(parsed.kind).filter(|_| !is_digest), Some(parsed.region));
        if is_digest && !self.choice.digests {
            return Some(Skip::Digest);
        }
        let kind = Some(parsed.kind).filter(|_| !is_digest);
        let place = self.choice.skips_place(Some(parsed.account), kind, Some(parsed.region));
        place
            .or_else(|| (!self.choice.may_hold(parsed.time, parsed.time)).then_some(Skip::Time))
            .or_else(|| self.skips_file(key))
    }

    /// Whether no folder, time or day is selected.
    pub(crate) fn takes_all(&self) -> bool {
        let Choice { accounts, regions, kinds, since, until, .. } = &self.choice;
        let names = [accounts, regions, kinds].iter().all(|names| names.is_none());
        names && since.is_none() && until.is_none() && self.floors.is_none()
    }

    fn skips_file(&self, key: &str) -> Option<Skip> {
        self.files.as_ref().filter(|files| !files.contains(key)).map(|_| Skip::Unverified)
    }

    /// Records the names in the path of an existing folder.
    pub(crate) fn see_folder(&self, path: &str) {
        if self.seen.is_some()
            && let Some(Folders { account, kind, region, .. }) = Folders::parse(path)
        {
            let is_other = kind.is_some_and(|kind| !is_kind(kind));
            self.see(account, kind.filter(|kind| is_kind(kind) && *kind != DIGEST), region.filter(|_| !is_other));
        }
    }

    fn see(&self, account: Option<&str>, kind: Option<&str>, region: Option<&str>) {
        if let Some(seen) = &self.seen {
            seen.add([(&self.choice.accounts, account), (&self.choice.regions, region), (&self.choice.kinds, kind)]);
        }
    }

    /// Why to skip all files below a folder; `None` if it is to be listed.
    #[must_use]
    pub fn skips_folder(&self, path: &str) -> Option<Skip> {
        if is_of_other_service(path) {
            return Some(Skip::Service);
        }
        let folders = Folders::parse(path)?;
        match folders.kind {
            Some(DIGEST) if !self.choice.digests => return Some(Skip::Digest),
            Some(kind) if !is_kind(kind) => return Some(Skip::Service),
            _ => {}
        }
        let too_far =
            folders.period().is_some_and(|(first, after)| !self.choice.may_hold(first - SLACK, after + SLACK));
        let is_done =
            self.floor(path).is_some_and(|(floor, below)| floor.get(..below.len()).is_some_and(|floor| below < floor));
        let place =
            self.choice.skips_place(folders.account, folders.kind.filter(|kind| *kind != DIGEST), folders.region);
        place.or(too_far.then_some(Skip::Time)).or(is_done.then_some(Skip::Done))
    }

    /// For a folder below a region: the first day that is not finished, and the part of the path that names the day.
    pub(crate) fn floor<'a>(&self, path: &'a str) -> Option<(&str, &'a str)> {
        let floors = self.floors.as_ref()?;
        let path = path.trim_end_matches('/');
        let mut slashes = path.rmatch_indices('/').take(3).map(|(at, _)| at);
        slashes.find_map(|at| Some((floors.get(&path[..at])?.as_str(), &path[at + 1..])))
    }
}

impl Choice {
    fn skips_place(&self, account: Option<&str>, kind: Option<&str>, region: Option<&str>) -> Option<Skip> {
        let checks = [
            (&self.accounts, account, Skip::Account),
            (&self.kinds, kind, Skip::Kind),
            (&self.regions, region, Skip::Region),
        ];
        let mut failed = checks.into_iter().filter(|(wanted, found, _)| {
            wanted.as_ref().zip(*found).is_some_and(|(wanted, found)| !wanted.contains(found))
        });
        failed.next().map(|(.., skip)| skip)
    }

    fn needs_key(&self) -> bool {
        self.accounts.is_some() || self.regions.is_some() || self.kinds.is_some()
    }

    /// The first and the last day whose folders [`Self::skips_folder`] does not skip for their time, each by its first
    /// microsecond.
    pub(crate) fn days(&self) -> (Option<i64>, Option<i64>) {
        let first = self.since.map(|since| since.saturating_sub(MARGIN + DAY + SLACK));
        let last = self
            .until
            .zip(self.max_delay)
            .map(|(until, delay)| until.saturating_add(delay).saturating_add(MARGIN + SLACK));
        let ceil = |time: i64| time.div_euclid(DAY) + i64::from(time.rem_euclid(DAY) > 0);
        (first.map(|first| ceil(first).saturating_mul(DAY)), last.map(|last| last - last.rem_euclid(DAY)))
    }

    /// Whether files with a time from `first` to `last` in their names may hold events of the selected time.
    fn may_hold(&self, first: i64, last: i64) -> bool {
        let early_enough = self
            .until
            .zip(self.max_delay)
            .is_none_or(|(until, delay)| first <= until.saturating_add(delay).saturating_add(MARGIN));
        early_enough && self.since.is_none_or(|since| last >= since.saturating_sub(MARGIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::seen::OTHERS;

    const LOG: &str = concat!(
        "AWSLogs/111111111111/CloudTrail/us-east-2/2020/01/02/",
        "111111111111_CloudTrail_us-east-2_20200102T1200Z_a.json.gz"
    );
    const NOON: i64 = 1_577_966_400_000_000;

    fn only(names: &[&str]) -> HashSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn by_place() {
        let all = Sieve::default();
        assert_eq!(all.skips(LOG), None);
        for other in [
            "AWSLogs/111111111111/Config/us-east-2/x.json.gz",
            "p/AWSLogs/111111111111/CloudTrail-Lake/Query/2025/03/12/a-b/result_sign.json",
            "CloudTrail-Lake/Query/2025/03/12/a-b/result_1.json.gz",
            "AWSLogs/aws-account-id=111111111111/aws-service=vpcflowlogs/aws-region=us-east-1/year=2025/x.log.gz",
            "111111111111_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz",
            "copies/111111111111_elasticloadbalancing_us-east-2_app.lb.5_20140215T2340Z_172.160.001.192_20sg8hgm.log",
            "cdn/E2EXAMPLE1234.2019-12-04-21.d111111a.gz",
            "111111111111_Config_us-east-2_ConfigSnapshot_20140215T234000Z_a.json.gz",
        ] {
            assert_eq!(all.skips(other), Some(Skip::Service), "{other}");
        }
        assert_eq!(all.skips("111111111111_my_own_export.json"), None);
        assert_eq!(all.skips_folder("b/CloudTrail-Lake/Query/2025/"), Some(Skip::Service));
        assert_eq!(
            all.skips("111111111111_CloudTrail-Digest_us-east-2_t_us-east-2_20200102T120000Z.json.gz"),
            Some(Skip::Digest)
        );
        assert_eq!(all.skips("events.json"), None);
        let account = Sieve::from(Choice { accounts: Some(only(&["222222222222"])), ..Choice::default() });
        assert_eq!(account.skips(LOG), Some(Skip::Account));
        assert_eq!(account.skips("events.json"), Some(Skip::NoKey));
        assert_eq!(account.skips_folder("x/AWSLogs/111111111111/"), Some(Skip::Account));
        assert_eq!(account.skips_folder("x/AWSLogs/222222222222/CloudTrail/"), None);
        let region = Sieve::from(Choice {
            regions: Some(only(&["us-east-1"])),
            kinds: Some(only(&["CloudTrail"])),
            ..Choice::default()
        });
        assert_eq!(region.skips(LOG), Some(Skip::Region));
        assert_eq!(region.skips_folder("AWSLogs/222222222222/CloudTrail-Insight/"), Some(Skip::Kind));
    }

    #[test]
    fn what_is_come_across() {
        let seen = Arc::new(Seen::default());
        let choice = Choice { regions: Some(only(&["us-east-1"])), ..Choice::default() };
        let sieve = Sieve { choice, seen: Some(Arc::clone(&seen)), ..Sieve::default() };
        let names = |account: &[&str], region: &[&str], kind: &[&str]| {
            [account, region, kind].map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        sieve.see_folder("AWSLogs/222222222222/Config/eu-west-3/");
        sieve.see_folder("logs/2024/");
        assert_eq!(seen.names(), names(&["222222222222"], &[], &[]));
        sieve.see_folder("AWSLogs/o-x/333333333333/CloudTrail-Digest/eu-west-1/");
        let _ = sieve.skips(LOG);
        let _ = sieve.skips("events.json");
        let accounts = ["111111111111", "222222222222", "333333333333"];
        assert_eq!(seen.names(), names(&accounts, &["eu-west-1", "us-east-2"], &["CloudTrail"]));
        for number in 0..2 * OTHERS {
            sieve.see_folder(&format!("AWSLogs/111111111111/CloudTrail/r-{number}/"));
        }
        assert_eq!(seen.names()[1].len(), OTHERS + 1);
        sieve.see_folder("AWSLogs/111111111111/CloudTrail/us-east-1/");
        assert!(seen.names()[1].contains(&"us-east-1".to_owned()));
    }

    #[test]
    fn by_time_with_a_margin_and_a_delay() {
        let since = |since| Sieve::from(Choice { since: Some(since), ..Choice::default() });
        assert_eq!(since(NOON + HOUR).skips(LOG), None);
        assert_eq!(since(NOON + HOUR + 1).skips(LOG), Some(Skip::Time));
        let until = |until, max_delay| Sieve::from(Choice { until: Some(until), max_delay, ..Choice::default() });
        assert_eq!(until(NOON - DAY - HOUR, Some(DAY)).skips(LOG), None);
        assert_eq!(until(NOON - DAY - HOUR - 1, Some(DAY)).skips(LOG), Some(Skip::Time));
        assert_eq!(until(0, None).skips(LOG), None);
        let months = ["2020/01/", "2019/12/", "2020/"]
            .map(|month| since(NOON).skips_folder(&format!("AWSLogs/111111111111/CloudTrail/us-east-2/{month}")));
        assert_eq!(months, [None, Some(Skip::Time), None]);
        let far = since(NOON + 40 * DAY).skips_folder("AWSLogs/111111111111/CloudTrail/us-east-2/2020/01/");
        assert_eq!(far, Some(Skip::Time));
        let folder = "AWSLogs/111111111111/CloudTrail/us-east-2/2020/01/02/";
        assert_eq!(since(NOON + 3 * DAY).skips_folder(folder), Some(Skip::Time));
        assert_eq!(since(NOON + DAY).skips_folder(folder), None);
    }

    #[test]
    fn folders_before_the_floor_are_done() {
        let place = "s3://b/AWSLogs/111111111111/CloudTrail/us-east-2";
        let floors = HashMap::from([(place.to_owned(), "2020/02/10".to_owned())]);
        let sieve = Sieve { floors: Some(Arc::new(floors)), ..Sieve::default() };
        for below in ["2019/", "2020/01/", "2020/01/31/", "2020/02/09/"] {
            assert_eq!(sieve.skips_folder(&format!("{place}/{below}")), Some(Skip::Done), "{below}");
        }
        for below in ["", "2020/", "2020/02/", "2020/02/10/", "2020/02/11", "2021/", "x/"] {
            assert_eq!(sieve.skips_folder(&format!("{place}/{below}")), None, "{below}");
        }
        assert_eq!(sieve.skips_folder("s3://b/AWSLogs/222222222222/CloudTrail/us-east-2/2019/"), None);
    }

    #[test]
    fn digests_when_they_are_wanted() {
        let digest = concat!(
            "AWSLogs/111111111111/CloudTrail-Digest/us-east-2/2020/01/02/",
            "111111111111_CloudTrail-Digest_us-east-2_t_us-east-2_20200102T120000Z.json.gz"
        );
        let kinds = Some(only(&["CloudTrail"]));
        let sieve =
            Sieve::from(Choice { digests: true, kinds, regions: Some(only(&["us-east-2"])), ..Choice::default() });
        assert_eq!((sieve.skips(digest), sieve.skips(LOG)), (None, None));
        assert_eq!(sieve.skips_folder("AWSLogs/111111111111/CloudTrail-Digest/us-east-2/"), None);
        assert_eq!(sieve.skips_folder("AWSLogs/111111111111/CloudTrail-Digest/us-east-1/"), Some(Skip::Region));
        assert_eq!(sieve.skips_folder("AWSLogs/111111111111/CloudTrail-Insight/"), Some(Skip::Kind));
    }

    #[test]
    fn days_are_those_that_are_not_skipped() {
        const FIRST: i64 = 1_577_836_800_000_000; // 2020-01-01
        let folders: Vec<_> =
            (1..=31).map(|day| format!("AWSLogs/111111111111/CloudTrail/us-east-2/2020/01/{day:02}/")).collect();
        for minutes in (0..48 * 60).step_by(7) {
            let since = FIRST + 14 * DAY + minutes * HOUR / 60;
            let choice =
                Choice { since: Some(since), until: Some(since + 1), max_delay: Some(HOUR), ..Choice::default() };
            let sieve = Sieve::from(choice.clone());
            let kept = (0..).zip(&folders).filter(|(_, folder)| sieve.skips_folder(folder).is_none());
            let kept: Vec<_> = kept.map(|(day, _)| FIRST + day * DAY).collect();
            assert_eq!(choice.days(), (kept.first().copied(), kept.last().copied()));
        }
    }
}
