//! Which of many rules a record can meet at all, told by a few of its values.

use std::collections::HashMap;

use crate::filter::Predicate;
use crate::filter::locate::{PathId, Paths, Scratch, Subject};
use crate::filter::value::{Scalar, TextTest, ValueTest};

/// Needs of one rule that are looked at: one bit each.
const NEEDS: usize = 8;

/// Rules by the texts that they need at some paths.
pub(super) struct Index {
    by_path: Vec<(PathId, ByText)>,
    /// Of each rule: its needs.
    needs: Vec<u8>,
    /// The rules that have none.
    always: Vec<u32>,
}

/// Rules, each with the need that a text meets.
type ByText = HashMap<Box<[u8]>, Vec<(u32, u8)>>;

/// The rules that a record can meet. Reused from record to record.
#[derive(Default)]
pub(super) struct Candidates {
    /// In order.
    pub(super) rules: Vec<u32>,
    /// Of each rule: the needs that are met.
    met: Vec<u8>,
}

/// Texts of which a rule needs one at a path.
#[derive(Clone)]
struct Need<'a> {
    path: PathId,
    texts: Vec<&'a [u8]>,
}

impl Index {
    /// Each rule is filed under all needs at paths that cost no walk; one without such a need under that which it shares with the
    /// fewest others.
    pub(super) fn new(rules: &[Predicate<PathId>], paths: &Paths) -> Self {
        let needs: Vec<_> = rules.iter().map(needs).collect();
        let mut shared: HashMap<(PathId, &[u8]), usize> = HashMap::new();
        for need in needs.iter().flatten() {
            for text in &need.texts {
                *shared.entry((need.path, text)).or_default() += 1;
            }
        }
        let cost = |need: &Need<'_>| -> usize { need.texts.iter().map(|text| shared[&(need.path, *text)]).sum() };
        let mut by_path: HashMap<PathId, ByText> = HashMap::new();
        let mut index = Self { by_path: Vec::new(), needs: vec![0; rules.len()], always: Vec::new() };
        for (rule, needs) in needs.iter().enumerate() {
            let free: Vec<_> = needs.iter().filter(|need| paths.is_free(need.path)).take(NEEDS).collect();
            let filed = if free.is_empty() { needs.iter().min_by_key(|need| cost(need)).into_iter().collect() } else { free };
            if filed.is_empty() {
                index.always.push(rule as u32);
            }
            for (number, need) in filed.into_iter().enumerate() {
                let bit = 1 << number;
                index.needs[rule] |= bit;
                let by_text = by_path.entry(need.path).or_default();
                for &text in &need.texts {
                    by_text.entry(text.into()).or_default().push((rule as u32, bit));
                }
            }
        }
        index.by_path = by_path.into_iter().collect();
        index.by_path.sort_unstable_by_key(|(path, _)| *path);
        index
    }

    /// Finds the rules of which the record meets all needs.
    pub(super) fn find(&self, paths: &Paths, subject: Subject<'_, '_>, scratch: &mut Scratch, found: &mut Candidates) {
        let Candidates { rules, met } = found;
        met.resize(self.needs.len(), 0);
        rules.clear();
        for (path, by_text) in &self.by_path {
            for value in paths.values(*path, subject, scratch) {
                let scalar = value.value.scalar(subject.cursor);
                // A test on texts may be one on numbers as they are written, too.
                let text: &[u8] = match &scalar {
                    Scalar::Text(text) => text,
                    Scalar::Number(written) => written,
                    _ => continue,
                };
                for &(rule, need) in by_text.get(text).map_or(&[][..], Vec::as_slice) {
                    let met = &mut met[rule as usize];
                    if *met == 0 {
                        rules.push(rule);
                    }
                    *met |= need;
                }
            }
        }
        rules.retain(|&rule| std::mem::take(&mut met[rule as usize]) == self.needs[rule as usize]);
        rules.extend_from_slice(&self.always);
        rules.sort_unstable();
    }
}

/// What a predicate cannot be met without; each need is one of its own.
fn needs(predicate: &Predicate<PathId>) -> Vec<Need<'_>> {
    match predicate {
        Predicate::All(parts) => parts.iter().flat_map(needs).collect(),
        Predicate::Any(parts) => {
            let mut parts = parts.iter().map(needs);
            let mut common = parts.next().unwrap_or_default();
            for part in parts {
                common.retain_mut(|need| {
                    let other = part.iter().find(|other| other.path == need.path);
                    need.texts.extend(other.into_iter().flat_map(|other| &other.texts));
                    other.is_some()
                });
            }
            for need in &mut common {
                need.texts.sort_unstable();
                need.texts.dedup();
            }
            common
        }
        Predicate::Values(slots) => {
            let certain = slots.iter().filter(|slot| !slot.or_absent);
            let needs = certain.filter_map(|slot| match &slot.test {
                Some(ValueTest::Text(TextTest::In(texts)) | ValueTest::Written(TextTest::In(texts))) => {
                    Some(Need { path: slot.path, texts: texts.iter().collect() })
                }
                _ => None,
            });
            needs.collect()
        }
        Predicate::Condition(_, part) => needs(part),
        Predicate::Always(_) | Predicate::Not(_) | Predicate::Column(..) | Predicate::Message(_) => Vec::new(),
    }
}
