use tempfile::TempDir;

use super::*;
use crate::source::Choice;

/// A folder with these files; each holds its own name.
fn folder(files: &[&str]) -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    for file in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, file).expect("a file");
    }
    root
}

/// What the walk gives, one line a step, without the root.
fn listed(root: &TempDir, listing: Listing) -> Vec<String> {
    let root = format!("{}/", root.path().display());
    let steps = listing.map(|step| match step {
        Listed::File(entry) => {
            assert!(matches!(&entry.at, At::Disk(path) if path.as_os_str() == entry.key.as_str()));
            assert_eq!(entry.size, Some(fs::metadata(&entry.key).expect("a file").len()));
            entry.key
        }
        Listed::Skipped(_, reason) => format!("skipped: {}", reason.name()),
        Listed::Pruned(_, reason) => format!("pruned: {}", reason.name()),
        Listed::Failed(error) => format!("failed: {error}"),
        Listed::Broken(error) => panic!("{error}"),
    });
    steps.map(|line| line.replace(&root, "")).collect()
}

fn walk(root: &TempDir) -> Vec<String> {
    listed(root, Listing::new(vec![root.path().to_owned()], Choice::default()))
}

#[test]
fn the_order_is_that_of_s3_keys() {
    let mut keys = vec![
        "a-b/x.json",
        "a.b/x.json",
        "a/x.json",
        "a_b/x.json",
        "ab/x.json",
        "a/x/1.json",
        "a/x-1.json",
        "a/x.json.gz",
        "a/x0.json",
        "a/é.json",
        "A/x.json",
        "a.json",
        "a-.json",
        "a0.json",
        "a//../a_.json",
        "a/~.json",
        "a/10.json",
        "a/9.json",
    ];
    let root = folder(&keys);
    keys.retain(|key| !key.contains(".."));
    keys.push("a_.json");
    keys.sort_by(|one, other| one.as_bytes().cmp(other.as_bytes()));
    assert_eq!(walk(&root), keys);
}

#[test]
fn only_names_of_logs_are_read_from_a_folder_but_any_file_that_is_named() {
    let read = ["1.json", "2.JSON.GZ", "3.jsonl", "4.jsonl.gz", "5.ndjson", "6.NDJSON.gz", "7.Log", "8.log.gz", "9.gz"];
    let root = folder(&[&read[..], &["a.txt", "b.json.bz2", "c", "d.csv.gz", "e.json~"]].concat());
    assert_eq!(walk(&root), [&read[..], &["skipped: name"; 5]].concat());
    let named = ["a.txt", "c", "1.json"].map(|name| root.path().join(name)).to_vec();
    assert_eq!(listed(&root, Listing::new(named, Choice::default())), ["a.txt", "c", "1.json"]);
}

#[test]
fn sources_come_in_the_order_they_are_named_in() {
    let root = folder(&["b/2.json", "b/1.json", "a/3.json"]);
    let named = ["b", "a/3.json", "a"].map(|name| root.path().join(name)).to_vec();
    assert_eq!(listed(&root, Listing::new(named, Choice::default())), ["b/1.json", "b/2.json", "a/3.json", "a/3.json"]);
}

#[test]
fn a_folder_with_the_name_of_a_log_is_a_folder() {
    let root = folder(&["x.json.gz/1.json", "x.json.gz/2.txt"]);
    assert_eq!(walk(&root), ["x.json.gz/1.json", "skipped: name"]);
}

#[test]
fn an_empty_folder_gives_nothing_and_a_missing_one_fails() {
    let root = folder(&[]);
    assert_eq!(walk(&root), Vec::<String>::new());
    let missing = vec![root.path().join("missing")];
    assert_eq!(
        listed(&root, Listing::new(missing, Choice::default())),
        ["failed: missing: cannot read: No such file or directory"]
    );
}

#[test]
fn what_vanishes_during_the_walk_fails_and_the_walk_goes_on() {
    let root = folder(&["1.json", "2.json", "3/x.json", "4.json"]);
    let mut listing = Listing::new(vec![root.path().to_owned()], Choice::default());
    assert!(matches!(listing.next(), Some(Listed::File(_))));
    fs::remove_file(root.path().join("2.json")).expect("removed");
    fs::remove_dir_all(root.path().join("3")).expect("removed");
    let gone = "cannot read: No such file or directory";
    assert_eq!(
        listed(&root, listing),
        [format!("failed: 2.json: {gone}"), format!("failed: 3: {gone}"), "4.json".to_owned()]
    );
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn links_to_files_and_folders_count_as_what_they_lead_to() {
        let elsewhere = folder(&["1.json", "2.json"]);
        let root = folder(&["b.json"]);
        symlink(elsewhere.path(), root.path().join("a")).expect("a link");
        symlink(elsewhere.path(), root.path().join("c.gz")).expect("a link");
        symlink(elsewhere.path().join("1.json"), root.path().join("d.json")).expect("a link");
        // The second link to one folder tells nothing new.
        assert_eq!(walk(&root), ["a/1.json", "a/2.json", "b.json", "pruned: linked", "d.json"]);
        // A user who names a folder twice wants it twice.
        let twice = vec![root.path().join("a"), root.path().join("c.gz")];
        let named = listed(&root, Listing::new(twice, Choice::default()));
        assert_eq!(named, ["a/1.json", "a/2.json", "c.gz/1.json", "c.gz/2.json"]);
    }

    #[test]
    fn a_link_that_leads_nowhere_fails_if_it_has_the_name_of_a_log() {
        let root = folder(&["2.json"]);
        symlink("nowhere", root.path().join("1.json")).expect("a link");
        symlink("nowhere", root.path().join("3")).expect("a link");
        symlink("4.gz", root.path().join("4.gz")).expect("a link");
        assert_eq!(
            walk(&root),
            [
                "failed: 1.json: cannot read: No such file or directory",
                "2.json",
                "skipped: name",
                "failed: 4.gz: cannot read: Too many levels of symbolic links",
            ]
        );
    }

    #[test]
    fn links_in_a_circle_end_the_walk_where_it_would_begin_again() {
        let root = folder(&["a/1.json", "b/2.json"]);
        symlink(root.path(), root.path().join("a/up")).expect("a link");
        symlink(".", root.path().join("a/self.gz")).expect("a link");
        symlink("../b", root.path().join("a/other")).expect("a link");
        symlink("../a", root.path().join("b/other")).expect("a link");
        let expected = ["a/1.json", "pruned: linked", "pruned: linked", "pruned: linked", "b/2.json", "pruned: linked"];
        assert_eq!(walk(&root), expected);
    }

    #[test]
    fn folders_elsewhere_that_lead_to_each_other_are_walked_once() {
        let elsewhere = folder(&["a/1.json", "b/2.json", "c/3.json"]);
        for (from, to) in [("a", "b"), ("a", "c"), ("b", "a"), ("b", "c"), ("c", "a"), ("c", "b")] {
            symlink(elsewhere.path().join(to), elsewhere.path().join(format!("{from}/to-{to}"))).expect("a link");
        }
        let root = folder(&["z.json"]);
        symlink(elsewhere.path().join("a"), root.path().join("1")).expect("a link");
        symlink(elsewhere.path(), root.path().join("2")).expect("a link");
        symlink("/", root.path().join("3")).expect("a link");
        let files: Vec<_> = walk(&root).into_iter().filter(|line| line != "pruned: linked").collect();
        assert_eq!(files, ["1/1.json", "1/to-b/2.json", "1/to-b/to-c/3.json", "z.json"]);
    }

    #[test]
    fn a_socket_or_pipe_in_a_folder_is_not_waited_for() {
        let root = folder(&["2.json"]);
        let _socket = UnixListener::bind(root.path().join("1.json")).expect("a socket");
        assert_eq!(walk(&root), ["failed: 1.json: cannot read: not a regular file", "2.json"]);
    }

    #[test]
    fn a_folder_that_must_not_be_read_fails_and_the_walk_goes_on() {
        let root = folder(&["1/x.json", "2.json"]);
        fs::set_permissions(root.path().join("1"), fs::Permissions::from_mode(0o000)).expect("permissions");
        // The superuser may read it all the same.
        let expected = if fs::read_dir(root.path().join("1")).is_ok() {
            "1/x.json"
        } else {
            "failed: 1: cannot read: Permission denied"
        };
        assert_eq!(walk(&root), [expected, "2.json"]);
        fs::set_permissions(root.path().join("1"), fs::Permissions::from_mode(0o700)).expect("permissions");
    }

    #[test]
    fn a_name_that_is_not_utf_8_is_read_and_shown_as_well_as_can_be() {
        let root = folder(&["2.json"]);
        fs::write(root.path().join(OsStr::from_bytes(b"1\xff.json")), "x").expect("a file");
        let entries: Vec<_> = Listing::new(vec![root.path().to_owned()], Choice::default()).collect();
        let Listed::File(entry) = &entries[0] else { panic!("{entries:?}") };
        assert!(entry.key.ends_with("1\u{fffd}FF.json"));
        let At::Disk(path) = &entry.at else { panic!("on the disk") };
        assert_eq!(fs::read(path).expect("a file"), b"x");
        assert_eq!(entries.len(), 2);
    }
}

/// A trail of two accounts, with a digest and the folder of another service.
const TRAIL: [&str; 5] = [
    concat!(
        "AWSLogs/111111111111/CloudTrail-Digest/us-east-1/2020/01/02/",
        "111111111111_CloudTrail-Digest_us-east-1_t_us-east-1_20200102T120000Z.json.gz"
    ),
    "AWSLogs/111111111111/CloudTrail/us-east-1/2020/01/02/111111111111_CloudTrail_us-east-1_20200102T1200Z_a.json.gz",
    "AWSLogs/111111111111/CloudTrail/us-east-1/2020/01/09/111111111111_CloudTrail_us-east-1_20200109T1200Z_b.json.gz",
    "AWSLogs/111111111111/Config/us-east-1/2020/1/2/ConfigHistory/x.json.gz",
    "AWSLogs/222222222222/CloudTrail/eu-west-1/2020/01/02/222222222222_CloudTrail_eu-west-1_20200102T1200Z_c.json.gz",
];

#[test]
fn folders_that_cannot_hold_what_is_asked_for_are_not_opened() {
    let root = folder(&TRAIL);
    let all = |selection| listed(&root, Listing::new(vec![root.path().to_owned()], selection));
    assert_eq!(all(Choice::default()), ["pruned: digest", TRAIL[1], TRAIL[2], "pruned: service", TRAIL[4]]);
    let only = |name: &str| Some([name.to_owned()].into());
    let account = Choice { accounts: only("222222222222"), ..Choice::default() };
    assert_eq!(all(account), ["pruned: account", TRAIL[4]]);
    let region = Choice { regions: only("us-east-1"), ..Choice::default() };
    assert_eq!(all(region).last().map(String::as_str), Some("pruned: region"));
    let since = Choice { since: Some(1_578_528_000_000_000), ..Choice::default() }; // 2020-01-09
    assert_eq!(all(since), ["pruned: digest", "pruned: time", TRAIL[2], "pruned: service", "pruned: time"]);
}

#[test]
fn a_choice_that_no_file_meets_skips_each_that_is_named() {
    let root = folder(&TRAIL);
    let named = TRAIL.map(|key| root.path().join(key)).to_vec();
    let selection = Choice { kinds: Some(["CloudTrail-Insight".to_owned()].into()), ..Choice::default() };
    let expected = ["skipped: digest", "skipped: kind", "skipped: kind", "skipped: service", "skipped: kind"];
    assert_eq!(listed(&root, Listing::new(named, selection)), expected);
}
