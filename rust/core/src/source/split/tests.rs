use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use proptest::prelude::*;

use super::*;

fn some(key: &str, size: Option<u64>) -> Member {
    Member { key: key.to_owned(), size, etag: None, modified: None }
}

fn planner_of(files: &[Member]) -> Planner {
    let mut planner = Planner::default();
    for file in files {
        planner.push(file);
    }
    planner
}

fn member_of() -> impl Strategy<Value = Member> {
    let key = prop_oneof![
        "AWSLogs/[12]{3}/CloudTrail/(eu|us)-west-1/2025/0[1-9]/[a-zA-Z0-9]{0,16}\\.json\\.gz",
        "[a-zé\u{fffd}]{0,5}",
        Just("s3://b//".to_owned()),
    ];
    let etag = prop::option::of(prop_oneof!["\"[0-9a-f]{32}\"", "\"[0-9a-fA-F]{0,33}(-9)?\"", "é?"]);
    let size = prop::option::of(prop_oneof![0..1000u64, Just(9 << 20), Just(u64::MAX >> 9)]);
    (key, size, etag, prop::option::of(any::<i64>())).prop_map(|(key, size, etag, modified)| Member {
        key,
        size,
        etag,
        modified,
    })
}

proptest! {
    #[test]
    fn each_file_is_in_one_run_in_its_place_and_no_run_is_too_large(
        files in prop::collection::vec(member_of(), 0..60),
        slots in 1u64..9,
        target in prop::option::of(1u64..(20 << 20)),
    ) {
        let planner = planner_of(&files);
        prop_assert_eq!(planner.files(), files.len() as u64);
        let total: u64 = files.iter().map(cost).sum();
        let most = target.unwrap_or((total / (8 * slots)).clamp(4 << 20, 64 << 20));
        let runs: Vec<_> = planner.cut(slots, target).collect();
        let found: Vec<Vec<_>> =
            runs.iter().map(|run| run.packed.members().map(Option::unwrap).collect()).collect();
        prop_assert_eq!(found.concat(), files);
        for (run, files) in runs.iter().zip(&found) {
            prop_assert_eq!(run.packed.files, files.len() as u64);
            prop_assert_eq!(run.sizes.cost, files.iter().map(cost).sum::<u64>());
            prop_assert_eq!(run.sizes.bytes, files.iter().filter_map(|file| file.size).sum::<u64>());
            prop_assert!(run.packed.files == 1 || run.sizes.cost <= most);
        }
        // No two neighbours would fit into one split.
        for (run, next) in runs.iter().zip(found.iter().skip(1)) {
            prop_assert!(run.sizes.cost + cost(&next[0]) > most);
        }
    }

    #[test]
    fn damage_is_told_and_never_more_than_it_was(
        files in prop::collection::vec(member_of(), 1..20), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        for Run { mut packed, .. } in planner_of(&files).cut(1, None) {
            let at = at.index(packed.bytes.len());
            packed.bytes[at] = byte;
            prop_assert!(packed.members().count() as u64 <= packed.files);
            let _ = packed.id("");
            packed.files += 1;
            prop_assert!(!packed.is_whole());
        }
    }

    #[test]
    fn the_name_tells_files_versions_and_queries_apart(one in member_of(), other in member_of()) {
        let name = |member: &Member, query: &str| {
            let mut series = Series::default();
            series.push(member);
            series.packed().id(query).expect("what was just made")
        };
        prop_assert_eq!(name(&one, "q") == name(&other, "q"), one == other || same(&one, &other));
        prop_assert_ne!(name(&one, "q"), name(&one, "p"));
    }
}

/// An empty tag counts as no tag.
fn same(one: &Member, other: &Member) -> bool {
    let plain =
        |member: &Member| Member { etag: member.etag.clone().filter(|etag| !etag.is_empty()), ..member.clone() };
    plain(one) == plain(other)
}

/// Files whose plan is all that is long about them, and a plan of them that no planner would make.
fn long_keys(number: usize) -> Packed {
    let mut series = Series::default();
    for _ in 0..number {
        series.push(&some(&"k".repeat(4_000), None));
    }
    series.packed()
}

#[test]
fn a_run_has_no_more_than_can_be_read_again() {
    let mut planner = Planner::default();
    for number in 0..9_000 {
        planner.push(&some(&format!("{}{number:04}", "k".repeat(4_000)), None));
    }
    let runs: Vec<_> = planner.cut(1, Some(u64::MAX)).map(|run| run.packed).collect();
    assert!(runs.iter().all(Packed::is_whole));
    assert_eq!(runs.iter().map(|run| run.files).collect::<Vec<_>>(), [4_124, 4_124, 752]);
}

#[test]
fn what_inflates_to_more_than_a_split_has_is_damaged() {
    assert!(long_keys(4_128).is_whole());
    let keys = long_keys(4_129); // a key that repeats the one before takes few bytes even when inflated
    assert!(keys.bytes.len() < 1_000 && !keys.is_whole());
    assert_eq!(keys.members().count(), 4_129);

    let packed = |length: u64, bytes: u64| {
        let mut to = DeflateEncoder::new(Vec::new(), Compression::fast());
        let mut head = Vec::new();
        pack::number(&mut head, length);
        to.write_all(&head).and_then(|()| std::io::copy(&mut std::io::repeat(0).take(bytes), &mut to)).expect("memory");
        Packed { bytes: to.finish().expect("memory"), files: u64::MAX }
    };
    for (length, bytes) in [(64 << 20, 64 << 20), (u64::MAX, 1 << 20), (SPLIT_TEXT as u64, 64 << 20)] {
        assert!(!packed(length, bytes).is_whole());
    }
}

#[test]
fn a_file_over_the_target_is_a_run_by_itself() {
    let planner = planner_of(&[1, 5, 90, 2, 3].map(|size| some("k", Some(size << 20))));
    let runs: Vec<_> = planner.cut(1, Some(10 << 20)).map(|run| run.packed.files).collect();
    assert_eq!(runs, [2, 1, 2]);
}

/// 50,000 keys of the form that CloudTrail gives them.
#[test]
fn a_key_takes_few_bytes() {
    let mut random = 1u64;
    let mut letter = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[(random >> 33) as usize % 62] as char
    };
    let mut planner = Planner::default();
    for number in 0..50_000u32 {
        let (day, minute) = (1 + number / 5_000, number % 5_000 / 4);
        let place = "s3://org-trail/AWSLogs/o-exampleorgid/111122223333/CloudTrail/eu-west-1";
        let time = format!("202503{day:02}T{:02}{:02}Z", minute / 60 % 24, minute % 60);
        let letters: String = (0..16).map(|_| letter()).collect();
        let key = format!("{place}/2025/03/{day:02}/111122223333_CloudTrail_eu-west-1_{time}_{letters}.json.gz");
        planner.push(&some(&key, None));
    }
    let packed: usize = planner.cut(1, Some(64 << 20)).map(|run| run.packed.bytes.len()).sum();
    assert!(packed < 50_000 * 18, "{packed} bytes");
}

#[test]
fn what_is_gone_or_no_file_any_more_is_told_and_not_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a.json"), "{}").expect("a file");
    std::fs::create_dir(path("b.json")).expect("a folder");
    let mut series = Series::default();
    for name in ["a.json", "b.json", "c.json"] {
        series.push(&some(path(name).to_str().expect("a name"), Some(2)));
    }
    let listed: Vec<_> = keys(&series.packed(), None).collect();
    assert!(matches!(&listed[0], Listed::File(entry) if entry.size == Some(2) && entry.is_planned));
    assert!(matches!(&listed[1], Listed::Failed(error) if error.location().key.as_deref() == path("b.json").to_str()));
    assert!(matches!(&listed[2], Listed::Failed(_)));
}
