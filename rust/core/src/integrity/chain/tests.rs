use std::path::Path;

use super::*;
use crate::digest::Content;
use crate::digest::Previous;
use crate::digest::tests::{STARTING, parse};
use crate::hash::sha256;
use crate::integrity::archive::Root;
use crate::integrity::missing::named;
use crate::source::Storage;

const FIRST: i64 = 1_439_820_091_000_000;
const NAME: &str = concat!(
    "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2015/08/17/",
    "111122223333_CloudTrail-Digest_us-east-2_t_us-east-2_20150817T140131Z.json.gz"
);

fn archive() -> Archive {
    Archive::new(vec![Root { path: "/no".into(), origin: None }], Storage::default()).expect("a root")
}

fn at(hour: i64) -> Name {
    Name { bucket: "b".into(), key: named(NAME, FIRST + hour * HOUR).expect("a key") }
}

/// The digest that ends at this hour, which names the one of `previous`.
fn node(hour: i64, previous: Option<i64>, proven: Option<bool>) -> Node {
    let at_hour = at(hour);
    let mut node = Node::new(Path::new("/no").join(&at_hour.key), FIRST + hour * HOUR, false);
    let mut digest = parse(STARTING).expect("a digest");
    (digest.start, digest.end, digest.at) = (node.time - HOUR, node.time, at_hour);
    digest.previous = previous.map(|hour| Previous {
        at: at(hour),
        hash: hex(&sha256(&hour.to_le_bytes())),
        algorithm: "SHA-256".into(),
        signature: "00".into(),
    });
    let content = Content {
        sha256: sha256(&hour.to_le_bytes()),
        stored: 0,
        inflated: 0,
        members: 1,
        trailing: 0,
        names_calls: false,
    };
    node.read = Some((digest, content));
    node.signature = proven.map(|_| (vec![0], Provenance::Successor));
    node.proven = proven;
    node
}

/// What the walk along these digests says, in a word each.
fn walk(nodes: Vec<Node>, since: Option<i64>) -> Vec<String> {
    let (mut chain, mut out) = (Chain::default(), Vec::new());
    for node in nodes {
        chain.push(node, &archive());
        while chain.settle(false, since, &archive(), &mut out) {}
        assert!(chain.ahead.len() <= LOOKAHEAD);
    }
    while chain.settle(true, since, &archive(), &mut out) {}
    let word = |settled: &Settled| match settled {
        Settled::Digest { node, status } => {
            let reasons: Vec<_> = node.problems.iter().map(|problem| problem.reason.name()).collect();
            format!("{} {} {}", (node.time - FIRST) / HOUR, status.name(), reasons.join(" ")).trim_end().to_owned()
        }
        Settled::Missing(Missing { first, last, count, at, .. }) => {
            assert_eq!(Key::parse(&at.as_ref().expect("a name").key).expect("a key").time, *last);
            assert_eq!((last - first) / HOUR + 1, *count as i64);
            format!("{}-{} missing", (first - FIRST) / HOUR, (last - FIRST) / HOUR)
        }
        Settled::Gap { from, to } => format!("{}-{} gap", (from - FIRST) / HOUR, (to - FIRST) / HOUR),
    };
    out.iter().map(word).collect()
}

#[test]
fn a_whole_chain() {
    let nodes = vec![node(0, None, Some(true)), node(1, Some(0), Some(true)), node(2, Some(1), None)];
    assert_eq!(walk(nodes, None), ["0 valid", "1 valid", "2 unverified no-signature"]);
}

#[test]
fn a_hole_is_one_range() {
    let nodes = || vec![node(0, None, Some(true)), node(4, Some(3), Some(true))];
    assert_eq!(walk(nodes(), None), ["0 valid", "1-3 missing", "4 valid"]);
    // Before the oldest digest, only the one that it names is known to be missing.
    let nodes = || vec![node(4, Some(3), Some(true))];
    assert_eq!(walk(nodes(), None), ["3-3 missing", "4 valid"]);
    assert_eq!(walk(nodes(), Some(FIRST + HOUR)), ["3-3 missing", "4 valid"]);
    assert_eq!(walk(nodes(), Some(FIRST + 3 * HOUR + 1)), ["4 valid"]);
}

#[test]
fn centuries_without_digests_are_one_range() {
    let hours = 7_000 * 366 * 24;
    let nodes = vec![node(0, None, Some(true)), node(hours, Some(hours - 1), Some(true))];
    assert_eq!(walk(nodes, None)[1], format!("1-{} missing", hours - 1));
}

#[test]
fn a_gap_is_what_a_starting_digest_says() {
    let nodes = vec![node(0, None, Some(true)), node(4, None, Some(true))];
    assert_eq!(walk(nodes, None), ["0 valid", "0-3 gap", "4 valid"]);
}

#[test]
fn a_broken_signature_is_blamed_on_the_file_that_was_changed() {
    // The signature of 1 does not match, and 2, which holds it, is right: 1 was changed.
    let nodes = vec![node(0, None, Some(true)), node(1, Some(0), Some(false)), node(2, Some(1), Some(true))];
    assert_eq!(walk(nodes, None)[1], "1 invalid signature");
    // 2 is wrong itself: nobody knows about 1.
    let nodes = vec![node(1, None, Some(false)), node(2, Some(1), Some(false)), node(3, Some(2), Some(true))];
    assert_eq!(walk(nodes, None), ["1 unverified no-signature", "2 invalid signature", "3 valid"]);
}

#[test]
fn another_hash_than_the_next_one_holds() {
    let mut nodes = vec![node(0, None, Some(true)), node(1, Some(0), Some(true))];
    if let Some((_, content)) = &mut nodes[0].read {
        content.sha256 = [0; 32];
    }
    assert_eq!(walk(nodes, None), ["0 invalid previous-hash", "1 valid"]);
}

#[test]
fn pointers_that_lead_nowhere() {
    let nodes = vec![node(0, None, Some(true)), node(1, Some(0), Some(true)), node(2, Some(5), Some(true))];
    assert_eq!(walk(nodes, None)[2], "2 valid order");
}
