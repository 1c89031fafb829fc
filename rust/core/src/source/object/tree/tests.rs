use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::clock::DAY;
use crate::source::object::Remote;
use crate::source::{Choice, Listing};

/// Keys of a bucket that answers as S3 does, with pages of a given number of entries.
struct Bucket {
    keys: BTreeSet<String>,
    page: usize,
}

impl Bucket {
    fn new(keys: impl IntoIterator<Item = String>, page: usize) -> Self {
        Self { keys: keys.into_iter().collect(), page }
    }

    fn answer(&self, range: &Range) -> Page {
        let Range { prefix, folders, after, token } = range;
        let mut page = Page::default();
        let mut last = String::new();
        let after = token.as_ref().or(after.as_ref());
        let first = after.map_or(prefix, |after| after.max(prefix)).clone();
        for key in self.keys.range(first..).take_while(|key| key.starts_with(prefix)) {
            let folder = key[prefix.len()..].find('/').filter(|_| *folders).map(|slash| &key[..=prefix.len() + slash]);
            // A folder counts as one entry, whose place is that of its last key.
            let is_after =
                after.is_none_or(|after| key > after && folder.is_none_or(|folder| !after.starts_with(folder)));
            if !is_after || folder.is_some_and(|folder| page.folders.last().is_some_and(|last| last == folder)) {
                continue;
            }
            if page.objects.len() + page.folders.len() == self.page {
                page.token = Some(last);
                return page;
            }
            if let Some(folder) = folder {
                page.folders.push(folder.to_owned());
            } else {
                page.objects.push(Object { key: key.clone(), size: key.len() as u64, ..Object::default() });
            }
            last = folder.map_or_else(|| key.clone(), |folder| format!("{folder}\u{10ffff}"));
        }
        page
    }
}

/// The result of a listing, and the requests that were made.
#[derive(Debug)]
struct Told {
    files: Vec<String>,
    skipped: BTreeMap<Skip, u64>,
    pruned: BTreeMap<Skip, u64>,
    asked: Vec<Range>,
    /// The most keys that waited for their reader.
    waited: usize,
}

/// Lists a prefix. `seed` decides in which order answers come.
fn tell(bucket: &Bucket, prefix: &str, selection: Choice, mut seed: u64) -> Result<Told, Error> {
    let remote =
        Remote::new(&BTreeMap::from([("skip_signature".to_owned(), "true".to_owned())]), None).expect("a client");
    let mut tree = Tree::new(remote.bucket("b"), prefix, selection.into());
    let mut told = Told { files: vec![], skipped: BTreeMap::new(), pruned: BTreeMap::new(), asked: vec![], waited: 0 };
    let mut under_way = Vec::new();
    loop {
        while let Some(found) = tree.take() {
            for listed in found {
                match listed {
                    Listed::File(entry) => {
                        told.files.push(entry.key.strip_prefix("s3://b/").expect("an address").to_owned());
                    }
                    Listed::Skipped(_, skip) => *told.skipped.entry(skip).or_default() += 1,
                    Listed::Pruned(_, skip) => *told.pruned.entry(skip).or_default() += 1,
                    Listed::Failed(error) | Listed::Broken(error) => return Err(error),
                }
            }
        }
        while let Some((number, range)) = tree.begin() {
            told.asked.push(range.clone());
            under_way.push((number, range));
        }
        told.waited = told.waited.max(tree.waiting);
        if under_way.is_empty() {
            assert!(tree.is_done() && tree.waiting == 0);
            return Ok(told);
        }
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let (number, range) = under_way.swap_remove((seed >> 33) as usize % under_way.len());
        tree.answer(number, bucket.answer(&range))?;
    }
}

fn file(account: &str, kind: &str, region: &str, day: &str, number: usize) -> String {
    let (date, minute) = (day.replace('/', ""), number % 60);
    format!(
        "AWSLogs/{account}/{kind}/{region}/{day}/{account}_{kind}_{region}_{date}T12{minute:02}Z_{number:016}.json.gz"
    )
}

/// Two accounts in three regions, with this many files on each day of the first months of two years.
fn archive(files: usize) -> Vec<String> {
    let mut keys = Vec::new();
    for account in ["111111111111", "222222222222"] {
        for region in ["eu-west-1", "us-east-1", "us-west-2"] {
            for year in [2023, 2024] {
                for (month, day) in (1..=3).flat_map(|month| (1..=28).map(move |day| (month, day))) {
                    let day = format!("{year}/{month:02}/{day:02}");
                    keys.extend((0..files).map(|number| file(account, "CloudTrail", region, &day, number)));
                }
            }
        }
        keys.push(file(account, "CloudTrail-Digest", "eu-west-1", "2024/01/01", 0));
        keys.push(file(account, "CloudTrail-Insight", "eu-west-1", "2024/01/01", 0));
        keys.push(format!("AWSLogs/{account}/CloudTrail/"));
        keys.push(format!("AWSLogs/{account}/Config/eu-west-1/2024/1/1/x.json.gz"));
    }
    keys
}

/// Keys in places where CloudTrail writes none.
const ODD: &[&str] = &[
    "a.json",
    "AWSLogs/a.json",
    "AWSLogs/111111111111/a.json.gz",
    "AWSLogs/111111111111/CloudTrail/a.json",
    "AWSLogs/111111111111/CloudTrail/eu-west-1/!.json",
    "AWSLogs/111111111111/CloudTrail/eu-west-1/2023/!.json",
    "AWSLogs/111111111111/CloudTrail/eu-west-1/2023/01/00.json",
    "AWSLogs/111111111111/CloudTrail/eu-west-1/2023/01/05-x/a.json",
    "AWSLogs/111111111111/CloudTrail/eu-west-1/2023/01/050/a.json",
    "AWSLogs/111111111111/CloudTrail/eu-west-1/2023/01/05/deep/er/a.json",
    "AWSLogs/111111111111/CloudTrail/eu-west-1/2023/01/99/a.json",
    "AWSLogs/111111111111/CloudTrail/eu-west-1/2023/01/x.json",
    "AWSLogs/111111111111/CloudTrail/eu-west-1/2023/02x/a.json",
    "AWSLogs/111111111111/CloudTrail/eu-west-1/2023/99/a.json",
    "AWSLogs/111111111111/CloudTrail/eu-west-1/2023/x/a.json",
    "AWSLogs/111111111111/CloudTrail/eu-west-1/2023//a.json",
    "AWSLogs/111111111111/CloudTrail/eu-west-1/3/a.json",
    "AWSLogs/111111111111/CloudTrail/eu-west-1/x/a.json",
    "AWSLogs/not-an-account/CloudTrail/eu-west-1/2023/01/01/a.json",
    "deep/er/and/deep/er/still/AWSLogs/111111111111/CloudTrail/eu-west-1/2023/01/05/a.json",
    "other/a.json",
    "z//a.json",
];

fn only(name: &str) -> HashSet<String> {
    HashSet::from([name.to_owned()])
}

fn micros(time: &str) -> Option<i64> {
    crate::scalar::timestamp(time.as_bytes())
}

#[test]
fn nothing_is_left_out_and_all_is_in_order() {
    let keys = archive(3).into_iter().chain(ODD.iter().map(ToString::to_string));
    let mut bucket = Bucket::new(keys, 7);
    let services =
        |key: &&String| !key.contains("/Config/") && !key.contains("/CloudTrail-Digest/") && !key.ends_with('/');
    let expected: Vec<_> = bucket.keys.iter().filter(services).cloned().collect();
    for (page, seed) in [(1, 1), (2, 2), (7, 3), (50, 4), (100, 5), (333, 6), (100_000, 7)] {
        bucket.page = page;
        let told = tell(&bucket, "", Choice::default(), seed).expect("keys");
        assert_eq!(told.files, expected, "pages of {page}");
        assert_eq!(told.skipped, BTreeMap::from([(Skip::Name, 2)]));
        assert_eq!(told.pruned, BTreeMap::from([(Skip::Digest, 2), (Skip::Service, 2)]));
    }
}

#[test]
fn a_small_bucket_takes_one_listing() {
    let bucket = Bucket::new(archive(1), 1000);
    assert!(bucket.keys.len() > 1000);
    let told = tell(&bucket, "", Choice::default(), 1).expect("keys");
    assert!(told.asked[0] == Range::default() && told.asked.len() > 1);
    let told = tell(&Bucket { page: 2000, ..bucket }, "", Choice::default(), 1).expect("keys");
    assert_eq!(told.asked, [Range::default()]);
}

#[test]
fn what_the_first_page_has_told_is_not_told_again() {
    let pages = 1..archive(1).len();
    let whole = tell(&Bucket::new(archive(1), 100_000), "AWSLogs/", Choice::default(), 1).expect("keys");
    for page in pages.step_by(13) {
        let told = tell(&Bucket::new(archive(1), page), "AWSLogs/", Choice::default(), 1).expect("keys");
        assert_eq!(
            (told.files, told.skipped, told.pruned),
            (whole.files.clone(), whole.skipped.clone(), whole.pruned.clone())
        );
    }
}

#[test]
fn it_is_the_listing_of_the_disk() {
    let keys = archive(2);
    let root = tempfile::tempdir().expect("a folder");
    for key in keys.iter().filter(|key| !key.ends_with('/')) {
        let path = root.path().join(key);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, b"").expect("a file");
    }
    let bucket = Bucket::new(keys, 100);
    let selections = [
        Choice::default(),
        Choice { accounts: Some(only("222222222222")), ..Choice::default() },
        Choice { regions: Some(only("us-east-1")), kinds: Some(only("CloudTrail")), ..Choice::default() },
        Choice { since: micros("2023-02-03T04:05:06Z"), ..Choice::default() },
        Choice { until: micros("2023-02-03T04:05:06Z"), max_delay: Some(0), ..Choice::default() },
        Choice {
            since: micros("2023-03-20T00:00:00Z"),
            until: micros("2024-01-10T00:00:00Z"),
            max_delay: Some(DAY),
            ..Choice::default()
        },
    ];
    for selection in selections {
        let told = tell(&bucket, "", selection.clone(), 1).expect("keys");
        let disk = Listing::new(vec![root.path().to_owned()], selection.clone()).filter_map(|listed| match listed {
            Listed::File(entry) => Some(entry.key),
            _ => None,
        });
        let disk: Vec<_> = disk
            .map(|path| path.strip_prefix(&format!("{}/", root.path().display())).expect("below").to_owned())
            .collect();
        assert_eq!(told.files, disk, "{selection:?}");
        assert!(!disk.is_empty());
    }
}

#[test]
fn one_account_region_and_day_takes_few_listings() {
    let bucket = Bucket::new(archive(200), 1000);
    assert!(bucket.keys.len() > 200_000);
    let day = Choice {
        accounts: Some(only("222222222222")),
        regions: Some(only("us-east-1")),
        since: micros("2024-02-10T00:00:00Z"),
        until: micros("2024-02-11T00:00:00Z"),
        max_delay: Some(DAY),
        ..Choice::default()
    };
    let told = tell(&bucket, "", day.clone(), 1).expect("keys");
    assert!(told.files.iter().any(|key| key.contains("/2024/02/10/")));
    assert!(told.files.iter().all(|key| key.contains("/222222222222/") && key.contains("/us-east-1/2024/02/")));
    assert!(told.asked.len() < 12, "{:#?}", told.asked);
    // With all names given, only the region and its days are listed.
    let named = Choice { kinds: Some(only("CloudTrail")), ..day };
    let told = tell(&bucket, "AWSLogs/222222222222/", named, 1).expect("keys");
    assert!(told.asked.iter().all(|range| range.prefix.starts_with("AWSLogs/222222222222/CloudTrail/us-east-1/")));
}

#[test]
fn accounts_of_an_organization_are_not_looked_for() {
    let keys = ["111111111111", "222222222222", "333333333333"];
    let key = |account: &&str| {
        file(account, "CloudTrail", "us-east-1", "2024/01/01", 1).replace("AWSLogs/", "p/AWSLogs/o-abc/")
    };
    let bucket = Bucket::new(keys.iter().map(key), 1000);
    let told = tell(&bucket, "p/AWSLogs/o-abc", Choice { accounts: Some(only(keys[1])), ..Choice::default() }, 1)
        .expect("keys");
    assert_eq!(told.files, [key(&keys[1])]);
    assert!(told.asked.iter().all(|range| range.prefix.contains("/222222222222/")));
}

#[test]
fn a_busy_region_is_listed_side_by_side() {
    let day = |day: usize| {
        (0..400).map(move |n| file("111111111111", "CloudTrail", "us-east-1", &format!("2024/03/{day:02}"), n))
    };
    let bucket = Bucket::new((1..=28).flat_map(day), 100);
    let told = tell(&bucket, "", Choice::default(), 1).expect("keys");
    assert_eq!(told.files.len(), 28 * 400);
    let days = told.asked.iter().filter(|range| range.prefix.ends_with("/28/") && range.token.is_none()).count();
    assert_eq!(days, 1);
    assert!(told.asked.len() < 160, "{} listings for 112 pages", told.asked.len());
}

#[test]
fn keys_that_wait_are_bounded() {
    let bucket = Bucket::new(archive(200), 1000);
    let told = tell(&bucket, "", Choice::default(), 3).expect("keys");
    assert!(told.waited <= WAITING + LISTINGS * 1000, "{}", told.waited);
    assert_eq!(told.files.len(), 2 * 3 * 2 * 3 * 28 * 200 + 2);
}

#[test]
fn what_is_named_must_be_there() {
    let bucket = Bucket::new(archive(1).into_iter().chain(["export".to_owned(), "export-2".to_owned()]), 1000);
    assert_eq!(tell(&bucket, "export", Choice::default(), 1).expect("an object").files, ["export"]);
    for missing in ["nothing", "nothing/", "export/", "expor", "AWSLogs/111111111111/CloudTrail/eu-west-1/2024/01/29"] {
        let error = tell(&bucket, missing, Choice::default(), 1).expect_err(missing);
        assert_eq!(error.kind(), &ErrorKind::NotFound, "{missing}");
    }
    let empty = Bucket::new([], 1000);
    assert_eq!(tell(&empty, "", Choice::default(), 1).expect_err("nothing").kind(), &ErrorKind::NotFound);
}

#[test]
fn a_page_without_a_key_is_not_the_end() {
    let keys =
        ["AWSLogs/111111111111/CloudTrail/us-east-1/2024/01/01/a.json.gz", "a.json", "b/c.json"].map(str::to_owned);
    for (prefix, expected) in [("", &keys[..]), ("b/", &keys[2..]), ("a.json", &keys[1..2])] {
        let bucket = Bucket::new(keys.clone(), 1);
        let remote =
            Remote::new(&BTreeMap::from([("skip_signature".to_owned(), "true".to_owned())]), None).expect("a client");
        let mut tree = Tree::new(remote.bucket("bkt"), prefix, Choice::default().into());
        let (mut files, mut empty) = (Vec::new(), 0);
        loop {
            while let Some(found) = tree.take() {
                files.extend(found.into_iter().filter_map(|listed| match listed {
                    Listed::File(entry) => Some(entry.key.replace("s3://bkt/", "")),
                    _ => None,
                }));
            }
            let Some((number, mut range)) = tree.begin() else { break };
            // Each page comes after two empty ones, whose tokens are marked.
            let token = range.token.clone().unwrap_or_default();
            let marks = token.bytes().take_while(|byte| *byte == b'!').count();
            let page = if marks < 2 {
                empty += 1;
                Page { token: Some(format!("!{token}")), ..Page::default() }
            } else {
                range.token = Some(token[2..].to_owned()).filter(|token| !token.is_empty());
                bucket.answer(&range)
            };
            tree.answer(number, page).expect("a page");
        }
        assert!(tree.is_done() && empty >= 2);
        assert_eq!(files, expected, "{prefix}");
    }
}

#[test]
fn months_that_are_not_two_digits_are_not_split() {
    let region = "AWSLogs/111111111111/CloudTrail/us-east-1/2024";
    let months = ["0000001", "000002", "01", "1", "4294967295", "+2"];
    let keys = months.iter().flat_map(|month| (0..5).map(move |n| format!("{region}/{month}/{n}.json")));
    for page in 1..8 {
        let bucket = Bucket::new(keys.clone(), page);
        let told = tell(&bucket, "", Choice::default(), 1).expect("keys");
        assert_eq!(told.files, bucket.keys.iter().cloned().collect::<Vec<_>>(), "pages of {page}");
    }
}
