//! Spans of time.

/// A span, in microseconds since 1970.
pub(crate) type Stretch = (i64, i64);

/// Some spans. Those that are added in order and touch are merged, so that a chain without gaps is a single one,
/// however long it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stretches(Vec<Stretch>);

impl Stretches {
    /// Adds one, unless it is empty.
    pub(crate) fn add(&mut self, (start, end): Stretch) {
        match self.0.last_mut() {
            _ if start >= end => {}
            Some(last) if last.0 <= start && start <= last.1 => last.1 = last.1.max(end),
            _ => self.0.push((start, end)),
        }
    }

    /// The union of these and others: in order and disjoint.
    pub(crate) fn and(&self, others: &[&Self]) -> Self {
        let mut all: Vec<_> = self.0.iter().chain(others.iter().flat_map(|others| &others.0)).copied().collect();
        all.sort_unstable();
        let mut joined = Self::default();
        for stretch in all {
            joined.add(stretch);
        }
        joined
    }

    /// The difference of these and others.
    pub(crate) fn without(&self, others: &[&Self]) -> Self {
        let taken = Self::default().and(others);
        let mut left = Self::default();
        for (mut start, end) in self.and(&[]).0 {
            let from = taken.0.partition_point(|other| other.1 <= start);
            for other in taken.0[from..].iter().take_while(|other| other.0 < end) {
                left.add((start, other.0));
                start = start.max(other.1);
            }
            left.add((start, end));
        }
        left
    }

    /// The intersection of these with one span.
    pub(crate) fn within(&self, (from, to): Stretch) -> Self {
        let mut found = Self::default();
        self.and(&[]).0.into_iter().for_each(|(start, end)| found.add((start.max(from), end.min(to))));
        found
    }

    pub(crate) fn one(stretch: Stretch) -> Self {
        let mut one = Self::default();
        one.add(stretch);
        one
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Stretch> {
        self.0.iter().copied()
    }

    /// Whether a moment is inside of one, or its end.
    pub(crate) fn holds_end(&self, moment: i64) -> bool {
        self.0.iter().any(|&(start, end)| start < moment && moment <= end)
    }

    /// From the first moment to the last; `None` if there is none.
    pub(crate) fn whole(&self) -> Option<Stretch> {
        let start = self.0.iter().map(|stretch| stretch.0).min()?;
        Some((start, self.0.iter().map(|stretch| stretch.1).max()?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moments(stretches: &Stretches) -> Vec<i64> {
        (-1..40).filter(|&moment| stretches.0.iter().any(|&(start, end)| start <= moment && moment < end)).collect()
    }

    fn any() -> impl Strategy<Value = Stretches> {
        proptest::collection::vec((0i64..30, 0i64..30), 0..6).prop_map(|all| {
            let mut stretches = Stretches::default();
            for stretch in all {
                stretches.add(stretch);
            }
            stretches
        })
    }

    proptest! {
        #[test]
        fn they_are_sets_of_moments(one in any(), two in any(), from in 0i64..30, to in 0i64..30) {
            let (a, b) = (moments(&one), moments(&two));
            let left: Vec<_> = a.iter().copied().filter(|moment| !b.contains(moment)).collect();
            prop_assert_eq!(moments(&one.without(&[&two])), left);
            let mut both = [a.clone(), b].concat();
            both.sort_unstable();
            both.dedup();
            prop_assert_eq!(moments(&one.and(&[&two])), both);
            let inside: Vec<_> = a.into_iter().filter(|&moment| from <= moment && moment < to).collect();
            prop_assert_eq!(moments(&one.within((from, to))), inside);
            let apart = one.and(&[&two]);
            prop_assert!(apart.0.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }
}
