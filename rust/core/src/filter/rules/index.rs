//! Which of many rules a record can meet at all, told by a few of its values.

use std::collections::HashMap;

use crate::filter::Predicate;
use crate::filter::locate::{PathId, Paths, Scratch, Subject};
use crate::filter::value::{Scalar, TextTest, ValueTest};

/// Rules by a text that each of them needs at some path.
pub(super) struct Index {
    by_path: Vec<(PathId, ByText)>,
    /// The rules that need none.
    always: Vec<u32>,
}

type ByText = HashMap<Box<[u8]>, Vec<u32>>;

/// Texts of which a rule needs one at a path.
#[derive(Clone)]
struct Need<'a> {
    path: PathId,
    texts: Vec<&'a [u8]>,
}

impl Index {
    /// Each rule is filed under the need that it shares with the fewest others; rather at a path that costs no walk.
    pub(super) fn new(rules: &[Predicate<PathId>], paths: &Paths) -> Self {
        let needs: Vec<_> = rules.iter().map(needs).collect();
        let mut shared: HashMap<(PathId, &[u8]), usize> = HashMap::new();
        for need in needs.iter().flatten() {
            for text in &need.texts {
                *shared.entry((need.path, text)).or_default() += 1;
            }
        }
        let cost = |need: &Need<'_>| -> (bool, usize) {
            (!paths.is_free(need.path), need.texts.iter().map(|text| shared[&(need.path, *text)]).sum())
        };
        let mut by_path: HashMap<PathId, ByText> = HashMap::new();
        let mut always = Vec::new();
        for (rule, needs) in needs.iter().enumerate() {
            let Some(need) = needs.iter().min_by_key(|need| cost(need)) else {
                always.push(rule as u32);
                continue;
            };
            let by_text = by_path.entry(need.path).or_default();
            for &text in &need.texts {
                by_text.entry(text.into()).or_default().push(rule as u32);
            }
        }
        let mut by_path: Vec<_> = by_path.into_iter().collect();
        by_path.sort_unstable_by_key(|(path, _)| *path);
        Self { by_path, always }
    }

    /// The rules that the record can meet, in order.
    pub(super) fn candidates(&self, paths: &Paths, subject: Subject<'_, '_>, scratch: &mut Scratch, candidates: &mut Vec<u32>) {
        candidates.clear();
        candidates.extend_from_slice(&self.always);
        for (path, by_text) in &self.by_path {
            for found in paths.values(*path, subject, scratch) {
                if let Scalar::Text(text) = found.value.scalar(subject.cursor)
                    && let Some(rules) = by_text.get(&*text)
                {
                    candidates.extend_from_slice(rules);
                }
            }
        }
        if !self.by_path.is_empty() {
            candidates.sort_unstable();
            candidates.dedup();
        }
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
                Some(ValueTest::Text(TextTest::In(texts))) => Some(Need { path: slot.path, texts: texts.iter().collect() }),
                _ => None,
            });
            needs.collect()
        }
        Predicate::Condition(_, part) => needs(part),
        Predicate::Always(_) | Predicate::Not(_) | Predicate::Column(..) | Predicate::Message(_) => Vec::new(),
    }
}
