//! The grammar of CloudTrail's S3 keys:
//!
//! ```text
//! [<prefix>/]AWSLogs/[<org>/]<account>/<kind>/<region>/<YYYY>/<MM>/<DD>/<file name>
//! <account>_<kind>_<region>_<YYYYMMDD>T<HHMM>Z_<unique>.json.gz                                        a log file
//! <account>_CloudTrail-Digest_<region>_<trail>_<home region>_<YYYYMMDD>T<HHMMSS>Z[_backfill].json.gz   a digest file
//! ```

use std::fmt;

use crate::clock::DAY;
use crate::scalar::timestamp;

/// The parts of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key<'a> {
    /// The part before `AWSLogs/`, without the slash; empty if there is none.
    pub prefix: &'a str,
    /// Organization id, of organization trails.
    pub org: Option<&'a str>,
    /// Account that the file belongs to.
    pub account: &'a str,
    /// `CloudTrail`, `CloudTrail-Insight`, `CloudTrail-Digest`, …
    pub kind: &'a str,
    /// Region that the file was delivered for.
    pub region: &'a str,
    /// Day of publication, `YYYY/MM/DD`; `None` for a file name alone.
    pub day: Option<&'a str>,
    /// The time in the name, in microseconds since 1970.
    pub time: i64,
    /// The time in the name, as text.
    pub stamp: &'a str,
    /// The rest of the name.
    pub name: Name<'a>,
}

/// The part of a file name that depends on its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name<'a> {
    /// A file of events.
    Log {
        /// Random letters that distinguish the files of one minute.
        unique: &'a str,
    },
    /// A digest file.
    Digest {
        /// Name of the trail.
        trail: &'a str,
        /// Home region of the trail.
        home_region: &'a str,
        /// Whether it lists log files that missed their own digest.
        backfill: bool,
    },
}

const SUFFIX: &str = ".json.gz";
const BACKFILL: &str = "_backfill";
/// Where CloudTrail Lake keeps results of queries; it is not a kind of logs.
const LAKE: &str = "CloudTrail-Lake";
/// The kind of digest files.
pub const DIGEST: &str = "CloudTrail-Digest";

impl<'a> Key<'a> {
    /// Reads a whole key, or a file name alone. Account, kind and region are those of the folders, even if the name
    /// contradicts them.
    #[must_use]
    pub fn parse(key: &'a str) -> Option<Self> {
        let (folders, file) = key.rsplit_once('/').unwrap_or(("", key));
        let mut parsed = Self::parse_name(file)?;
        if let Some(folders) = Folders::parse(folders)
            && let (Some(account), Some(kind), Some(region), Some(day)) =
                (folders.account, folders.kind, folders.region, folders.day)
        {
            (parsed.prefix, parsed.org, parsed.day) = (folders.prefix, folders.org, Some(day));
            (parsed.account, parsed.kind, parsed.region) = (account, kind, region);
        }
        Some(parsed)
    }

    fn parse_name(file: &'a str) -> Option<Self> {
        let stem = file.strip_suffix(SUFFIX)?;
        let (account, rest) = stem.split_once('_')?;
        let (kind, rest) = rest.split_once('_')?;
        let (region, rest) = rest.split_once('_')?;
        if !is_account(account) || !is_kind(kind) || !is_region(region) {
            return None;
        }
        let (stamp, name) = if kind == DIGEST {
            let (rest, backfill) = rest.strip_suffix(BACKFILL).map_or((rest, false), |rest| (rest, true));
            let (rest, stamp) = rest.rsplit_once('_')?;
            let (trail, home_region) = rest.rsplit_once('_')?;
            (stamp, Name::Digest { trail, home_region, backfill })
        } else {
            // One example in AWS's documentation has no underscore after the time.
            let (stamp, unique) = rest.split_at_checked("YYYYMMDDTHHMMZ".len())?;
            (stamp, Name::Log { unique: unique.strip_prefix('_').unwrap_or(unique) })
        };
        Some(Self { prefix: "", org: None, account, kind, region, day: None, time: time(stamp)?, stamp, name })
    }

    /// Whether this is a digest file.
    #[must_use]
    pub fn is_digest(&self) -> bool {
        matches!(self.name, Name::Digest { .. })
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, org, account, kind, region, day, stamp, name, .. } = self;
        if let Some(day) = day {
            if !prefix.is_empty() {
                write!(f, "{prefix}/")?;
            }
            f.write_str("AWSLogs/")?;
            if let Some(org) = org {
                write!(f, "{org}/")?;
            }
            write!(f, "{account}/{kind}/{region}/{day}/")?;
        }
        write!(f, "{account}_{kind}_{region}_")?;
        match name {
            Name::Log { unique } => write!(f, "{stamp}_{unique}{SUFFIX}"),
            Name::Digest { trail, home_region, backfill } => {
                write!(f, "{trail}_{home_region}_{stamp}{}{SUFFIX}", if *backfill { BACKFILL } else { "" })
            }
        }
    }
}

/// The folders of a key, as far down as they go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Folders<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) org: Option<&'a str>,
    pub(crate) account: Option<&'a str>,
    pub(crate) kind: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
    pub(crate) day: Option<&'a str>,
    below: &'a str,
}

impl<'a> Folders<'a> {
    /// Reads the folders below the last `AWSLogs`; `None` if they are not CloudTrail's.
    pub(crate) fn parse(path: &'a str) -> Option<Self> {
        let start = match path.rfind("/AWSLogs/") {
            Some(slash) => slash + 1,
            None if path.starts_with("AWSLogs/") => 0,
            None => return None,
        };
        let mut folders = Self { prefix: path[..start].trim_end_matches('/'), ..Self::default() };
        let mut rest = path[start + "AWSLogs/".len()..].trim_end_matches('/');
        let mut next = || {
            let (name, after) = rest.split_once('/').unwrap_or((rest, ""));
            rest = after;
            Some(name).filter(|name| !name.is_empty())
        };
        let mut account = next();
        if account.is_some_and(|name| name.starts_with("o-")) {
            folders.org = account;
            account = next();
        }
        if account.is_some_and(|name| !is_account(name)) {
            return None;
        }
        (folders.account, folders.kind, folders.region) = (account, next(), next());
        folders.below = rest;
        folders.day = Some(rest).filter(|day| day.matches('/').count() == 2);
        Some(folders)
    }

    /// The year, month or day of a folder below the region: its first microsecond since 1970, and the first after it.
    pub(crate) fn period(&self) -> Option<(i64, i64)> {
        let at = |date: &str| timestamp(format!("{date}T00:00:00Z").as_bytes());
        let next = |number: &str| number.parse::<u32>().ok().map(|number| number + 1);
        let mut names = self.below.split('/');
        let (year, month, day) = (names.next()?, names.next(), names.next());
        Some(match (month, day, names.next()) {
            (None, ..) => (at(&format!("{year}-01-01"))?, at(&format!("{:04}-01-01", next(year)?))?),
            (Some(month), None, _) => {
                let first = at(&format!("{year}-{month}-01"))?;
                let after = at(&format!("{year}-{:02}-01", next(month)?));
                (first, after.or_else(|| at(&format!("{:04}-01-01", next(year)?)))?)
            }
            (Some(month), Some(day), None) => {
                let first = at(&format!("{year}-{month}-{day}"))?;
                (first, first + DAY)
            }
            _ => return None,
        })
    }

    /// Number of folders below the region.
    pub(crate) fn below_region(&self) -> usize {
        self.below.split('/').filter(|name| !name.is_empty()).count()
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether this is one of CloudTrail's kinds; other services write below `AWSLogs` too.
pub(crate) fn is_kind(text: &str) -> bool {
    text == "CloudTrail"
        || text != LAKE
            && text
                .strip_prefix("CloudTrail-")
                .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Whether a path belongs to another service although its account folders do not show it: results of CloudTrail Lake,
/// flow logs in Hive-style folders, and file names that other services use below `AWSLogs`.
pub(crate) fn is_of_other_service(path: &str) -> bool {
    let (folders, file) = path.rsplit_once('/').unwrap_or(("", path));
    let mut above = "";
    for folder in folders.split('/') {
        if folder.strip_prefix("aws-service=").is_some_and(|service| !is_kind(service))
            || (above, folder) == (LAKE, "Query")
        {
            return true;
        }
        above = folder;
    }
    // CloudFront: `<distribution>.<YYYY-MM-DD-HH>.<unique>.gz`.
    if let [_, hour, _, "gz"] = file.split('.').collect::<Vec<_>>()[..]
        && hour.len() == "YYYY-MM-DD-HH".len()
        && hour
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7 | 10) { byte == b'-' } else { byte.is_ascii_digit() })
    {
        return true;
    }
    let mut parts = file.splitn(4, '_');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(account), Some(service), Some(region), Some(_)) => {
            is_account(account) && !is_kind(service) && region.contains('-') && is_region(region)
        }
        _ => false,
    }
}

fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// `YYYYMMDDTHHMMZ` or `YYYYMMDDTHHMMSSZ`.
fn time(stamp: &str) -> Option<i64> {
    let digits = stamp.strip_suffix('Z').filter(|digits| digits.is_ascii())?;
    let (date, clock) = digits.split_once('T').filter(|(date, _)| date.len() == 8)?;
    let seconds = match clock.len() {
        4 => "00",
        6 => &clock[4..],
        _ => return None,
    };
    timestamp(
        format!("{}-{}-{}T{}:{}:{seconds}Z", &date[..4], &date[4..6], &date[6..], &clock[..2], &clock[2..4]).as_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_of_an_account_trail() {
        let text = concat!(
            "AWSLogs/123456789012/CloudTrail/us-west-1/2014/06/20/",
            "123456789012_CloudTrail_us-west-1_20140620T1255Z_HdkvFTXOA3Vnhbc1.json.gz"
        );
        let key = Key::parse(text).expect("a key");
        assert_eq!((key.prefix, key.org, key.account, key.kind), ("", None, "123456789012", "CloudTrail"));
        assert_eq!((key.region, key.day, key.time / DAY), ("us-west-1", Some("2014/06/20"), 16_241));
        assert_eq!(key.name, Name::Log { unique: "HdkvFTXOA3Vnhbc1" });
        assert_eq!(key.to_string(), text);
    }

    #[test]
    fn log_of_an_organization_trail_with_a_prefix() {
        let text = concat!(
            "sec/ct/AWSLogs/o-exampleorgid/222222222222/CloudTrail/eu-west-1/2024/02/29/",
            "222222222222_CloudTrail_eu-west-1_20240229T0005Z_abcDEF0123456789.json.gz"
        );
        let key = Key::parse(text).expect("a key");
        assert_eq!((key.prefix, key.org, key.account), ("sec/ct", Some("o-exampleorgid"), "222222222222"));
        assert_eq!(key.to_string(), text);
    }

    #[test]
    fn digests() {
        let text = concat!(
            "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2015/08/17/",
            "111122223333_CloudTrail-Digest_us-east-2_your-trail-name_us-east-2_20150817T150131Z.json.gz"
        );
        let key = Key::parse(text).expect("a key");
        assert_eq!(key.name, Name::Digest { trail: "your-trail-name", home_region: "us-east-2", backfill: false });
        assert_eq!(key.to_string(), text);
        let text = "111122223333_CloudTrail-Digest_eu-west-1_a_b_us-east-1_20260205T000000Z_backfill.json.gz";
        let key = Key::parse(text).expect("a key");
        assert_eq!(key.name, Name::Digest { trail: "a_b", home_region: "us-east-1", backfill: true });
        assert_eq!(key.to_string(), text);
    }

    #[test]
    fn other_kinds_and_a_missing_underscore() {
        let key = Key::parse("111111111111_CloudTrail-Insight_us-east-2_20150901T1925Z_WZZw1RymnjCRjxXc.json.gz")
            .expect("a key");
        assert_eq!(key.kind, "CloudTrail-Insight");
        let key = Key::parse("123456789012_CloudTrail_us-west-1_20140620T1255ZHdkvFTXOA3Vnhbc.json.gz").expect("a key");
        assert_eq!(key.name, Name::Log { unique: "HdkvFTXOA3Vnhbc" });
    }

    #[test]
    fn the_folders_count_more_than_the_name() {
        let text = concat!(
            "AWSLogs/111111111111/CloudTrail/us-east-2/2020/01/02/",
            "111111111111_CloudTrail_us-west-2_20200101T2355Z_a.json.gz"
        );
        assert_eq!(Key::parse(text).expect("a key").region, "us-east-2");
    }

    #[test]
    fn folders_as_far_as_they_go() {
        let folders = Folders::parse("/data/x/AWSLogs/o-abc/111111111111/CloudTrail/us-east-2/").expect("folders");
        assert_eq!(
            (folders.prefix, folders.org, folders.region, folders.day),
            ("/data/x", Some("o-abc"), Some("us-east-2"), None)
        );
        let folders = Folders::parse("AWSLogs/111111111111/CloudTrail/us-east-2/2020/01/02").expect("folders");
        assert_eq!(folders.day, Some("2020/01/02"));
        let folders = Folders::parse("AWSLogs/111111111111/CloudTrail/us-east-2/2020/01").expect("folders");
        assert_eq!((folders.region, folders.day), (Some("us-east-2"), None));
    }

    #[test]
    fn periods_of_folders() {
        let days = |below: &str| {
            let path = format!("AWSLogs/111111111111/CloudTrail/us-east-2/{below}");
            Folders::parse(&path).and_then(|folders| folders.period()).map(|(first, after)| (first / DAY, after / DAY))
        };
        assert_eq!(days("2020/"), Some((18_262, 18_628)));
        assert_eq!(days("2020/02"), Some((18_293, 18_322)));
        assert_eq!(days("2020/12/"), Some((18_597, 18_628)));
        assert_eq!(days("2020/01/02/"), Some((18_263, 18_264)));
        for below in ["", "x", "2020/13", "2020/1/2", "2020/02/30", "2020/01/02/x"] {
            assert_eq!(days(below), None, "{below}");
        }
    }

    #[test]
    fn what_is_no_key() {
        for text in [
            "events.json.gz",
            "AWSLogs/123456789012/Config/us-west-1/2014/6/20/123456789012_Config_us-west-1_x.json.gz",
            "12345678901_CloudTrail_us-west-1_20140620T1255Z_a.json.gz",
            "123456789012_CloudTrail_us-west-1_20141320T1255Z_a.json.gz",
            "123456789012_CloudTrail_us-west-1_20140620T1255Z_a.json",
            "123456789012_CloudTrail_us-west-1_é.json.gz",
        ] {
            assert_eq!(Key::parse(text), None, "{text}");
        }
    }
}
