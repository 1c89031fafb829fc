//! The plan of a listing: what to ask a bucket for next, and which keys come next in order.
//!
//! Down to regions, folders are found by listings that are cut at slashes, or named by what is asked for. The years of a region
//! are listed in one go each, from the first day that is asked for to the last; what takes more than one page is split into
//! months and days, which are listed side by side. The parts of a split leave no key out, whatever it looks like; but where times
//! are asked for, what lies below a year stands in the order of its days, and outside of those that are asked for it is not listed.

use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use chrono::DateTime;

use super::client::Bucket;
use super::list::{Object, Page, Range};
use super::trail::Trail;
use crate::error::{Error, ErrorKind};
use crate::source::key::Folders;
use crate::source::{At, Entry, Listed, Selection, Skip, has_log_ending};

/// Listings under way at once.
const LISTINGS: usize = 16;
/// Keys that wait for their reader, before no more listings are begun.
const WAITING: usize = 8 << 10;
/// Folders above `AWSLogs` that are looked into one by one, at most one in another; what lies deeper is listed in one go.
const DEPTH: usize = 4;

/// A listing that is under way, as a row of parts in the order of their keys.
pub(super) struct Tree {
    bucket: Arc<Bucket>,
    selection: Selection,
    parts: VecDeque<Part>,
    /// Keys in `parts`.
    waiting: usize,
    under_way: usize,
    next: u64,
}

enum Part {
    /// What comes next.
    Found(Vec<Listed>),
    /// A listing that is not begun.
    Ahead(Ask),
    /// A listing that is under way.
    Asked(u64, Ask),
}

/// A listing to make.
#[derive(Debug, Clone, Default)]
struct Ask {
    range: Range,
    /// No keys after this one.
    until: Option<String>,
    shape: Shape,
    /// What there should be below it.
    expects: Expected,
    /// The pages of it that have come.
    trail: Trail,
}

/// What should be found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Expected {
    /// Anything, or nothing.
    #[default]
    Nothing,
    /// A folder that a user named, which is one if something lies in it.
    Folder,
    /// The same, or an object of that name.
    FolderOrObject,
}

/// What a listing is made for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Shape {
    /// Keys, page by page.
    #[default]
    Keys,
    /// Folders, so deep below the root, to look into; and keys beside them.
    Folders(usize),
    /// The one object of this key.
    Object,
}

impl Tree {
    /// Lists what lies below a prefix, or is the object of this key if nothing does.
    pub(super) fn new(bucket: Arc<Bucket>, prefix: &str, selection: Selection) -> Self {
        let mut tree = Self { bucket, selection, parts: VecDeque::new(), waiting: 0, under_way: 0, next: 0 };
        let (folder, expected) = if prefix.is_empty() || prefix.ends_with('/') {
            (prefix.to_owned(), Expected::Folder)
        } else {
            (format!("{prefix}/"), Expected::FolderOrObject)
        };
        tree.parts = tree.plan(folder, 0).into();
        if let [Part::Ahead(ask)] = tree.parts.make_contiguous() {
            ask.expects = expected;
        }
        tree
    }

    /// The next listing to begin, and its number. When all that is found is taken, there is one or it is under way.
    pub(super) fn begin(&mut self) -> Option<(u64, Range)> {
        let place = self.parts.iter().position(|part| matches!(part, Part::Ahead(_)))?;
        let has_room = self.under_way < LISTINGS && self.waiting < WAITING;
        if place > 0 && !has_room {
            return None;
        }
        let part = &mut self.parts[place];
        let Part::Ahead(ask) = std::mem::replace(part, Part::Found(Vec::new())) else { return None };
        let (number, range) = (self.next, ask.range.clone());
        *part = Part::Asked(number, ask);
        self.next += 1;
        self.under_way += 1;
        Some((number, range))
    }

    /// Takes a page of the listing of this number; fails when it shows that there is nothing where there should be something.
    pub(super) fn answer(&mut self, number: u64, page: Page) -> Result<(), Error> {
        let Some(place) = self.parts.iter().position(|part| matches!(part, Part::Asked(asked, _) if *asked == number)) else {
            return Ok(());
        };
        let mut after = self.parts.split_off(place);
        let Some(Part::Asked(_, ask)) = after.pop_front() else { return Ok(()) };
        self.under_way -= 1;
        let found = self.unfold(ask, page)?;
        self.waiting += found.iter().map(Part::waiting).sum::<usize>();
        self.parts.extend(found);
        self.parts.append(&mut after);
        Ok(())
    }

    /// What comes next, as far as it is known.
    pub(super) fn take(&mut self) -> Option<Vec<Listed>> {
        let Some(Part::Found(_)) = self.parts.front() else { return None };
        let Some(Part::Found(found)) = self.parts.pop_front() else { return None };
        self.waiting -= found.len();
        Some(found)
    }

    /// Whether all is told.
    pub(super) fn is_done(&self) -> bool {
        self.parts.is_empty()
    }

    fn unfold(&self, mut ask: Ask, page: Page) -> Result<Vec<Part>, Error> {
        if page.token.is_some() {
            ask.trail.follow(&page).map_err(|error| error.in_file(&self.address(&ask.range.prefix)))?;
        }
        let is_empty = page.objects.is_empty() && page.folders.is_empty();
        match ask.shape {
            // S3 may give a page without a key, and more after it: nothing is known yet.
            _ if is_empty && page.token.is_some() => {
                Ok(vec![Part::Ahead(Ask { range: Range { token: page.token, ..ask.range }, ..ask })])
            }
            Shape::Object => {
                let found = page.objects.into_iter().next().filter(|object| object.key == ask.range.prefix);
                let address = self.address(&ask.range.prefix);
                let found = found.ok_or_else(|| Error::whole(ErrorKind::NotFound).in_file(&address))?;
                Ok(vec![Part::Found(vec![self.file(found)])])
            }
            _ if is_empty && ask.expects == Expected::Folder => {
                Err(Error::whole(ErrorKind::NotFound).in_file(&self.address(&ask.range.prefix)))
            }
            _ if is_empty && ask.expects == Expected::FolderOrObject => {
                let range = Range { prefix: ask.range.prefix.trim_end_matches('/').to_owned(), ..Range::default() };
                Ok(vec![Part::Ahead(Ask { range, shape: Shape::Object, ..Ask::default() })])
            }
            Shape::Keys => Ok(self.unfold_keys(ask, page)),
            Shape::Folders(depth) => Ok(self.unfold_folders(ask, page, depth)),
        }
    }

    fn unfold_folders(&self, ask: Ask, mut page: Page, depth: usize) -> Vec<Part> {
        // S3 gives them in order; some stores that speak its language order folders by their names without the slash.
        page.folders.sort_unstable();
        page.objects.sort_unstable();
        let mut parts = Vec::new();
        let mut found = Vec::new();
        let mut objects = page.objects.into_iter().peekable();
        for folder in page.folders {
            while let Some(object) = objects.next_if(|object| object.key < folder) {
                found.push(self.object(object));
            }
            parts.push(Part::Found(std::mem::take(&mut found)));
            self.selection.see_folder(&self.address(&folder));
            parts.extend(self.look_into(folder, depth + 1));
        }
        found.extend(objects.map(|object| self.object(object)));
        parts.push(Part::Found(found));
        if page.token.is_some() {
            let range = Range { token: page.token, ..ask.range };
            parts.push(Part::Ahead(Ask { range, expects: Expected::Nothing, ..ask }));
        }
        parts
    }

    fn unfold_keys(&self, ask: Ask, page: Page) -> Vec<Part> {
        let is_within = |key: &str| ask.until.as_deref().is_none_or(|until| key <= until);
        let ends = page.objects.last().map(|last| last.key.clone());
        let ends = page.objects.first().map(|first| first.key.clone()).zip(ends);
        let objects = page.objects.into_iter().filter(|object| is_within(&object.key));
        let mut parts = vec![Part::Found(objects.map(|object| self.object(object)).collect())];
        if page.token.is_none() || ends.as_ref().is_some_and(|(_, last)| !is_within(last)) {
            return parts;
        }
        if let Some(split) = ends.and_then(|(first, last)| self.split(&ask, &first, &last)) {
            parts.extend(split.into_iter().map(Part::Ahead));
        } else {
            let range = Range { token: page.token, ..ask.range };
            parts.push(Part::Ahead(Ask { range, expects: Expected::Nothing, ..ask }));
        }
        parts
    }

    /// What is left of a year or a month after its first page, so that it can be listed side by side.
    fn split(&self, ask: &Ask, first: &str, last: &str) -> Option<Vec<Ask>> {
        let prefix = &ask.range.prefix;
        let most: u32 = match Folders::parse(&self.address(prefix))?.below_region() {
            1 => 12,
            2 => 31,
            _ => return None,
        };
        if ask.range.token.is_some() {
            return None;
        }
        // What is not two digits stands elsewhere in the order than its number does.
        let number = |key: &str| {
            let name = key.strip_prefix(prefix.as_str())?.split_once('/')?.0;
            (name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_digit())).then(|| name.parse::<u32>().ok()).flatten()
        };
        let (begin, end) = (number(first)?, number(last)?);
        let keys = |prefix: &str, after: String, until| {
            let range = Range { prefix: prefix.to_owned(), after: Some(after), ..Range::default() };
            Ask { range, until, ..Ask::default() }
        };
        let bound = |until: String| Some(ask.until.clone().map_or(until.clone(), |most| most.min(until)));
        let ended = format!("{prefix}{end:02}");
        // The rest of the month or day that the page has ended in; '0' is what follows the slash.
        let mut parts = vec![keys(&format!("{ended}/"), last.to_owned(), ask.until.clone())];
        let step = end.saturating_sub(begin);
        let mut after = format!("{ended}0");
        if step <= 1 {
            let range = Range { folders: true, after: Some(after), ..ask.range.clone() };
            parts.push(Ask { range, shape: Shape::Folders(DEPTH), ..Ask::default() });
            return Some(parts);
        }
        for number in (end + step..most).step_by(step as usize) {
            let next = format!("{prefix}{number:02}0");
            if ask.until.as_ref().is_some_and(|until| next >= *until) {
                break;
            }
            parts.push(keys(prefix, std::mem::replace(&mut after, next.clone()), bound(next)));
        }
        parts.push(keys(prefix, after, ask.until.clone()));
        Some(parts)
    }

    /// How to list a folder that was found; or that it is not asked for.
    fn look_into(&self, folder: String, depth: usize) -> Vec<Part> {
        let address = self.address(&folder);
        match self.selection.skips_folder(&address) {
            Some(skip) => vec![Part::Found(vec![Listed::Pruned(address, skip)])],
            None => self.plan(folder, depth),
        }
    }

    /// How to list a folder.
    fn plan(&self, prefix: String, depth: usize) -> Vec<Part> {
        let address = self.address(&prefix);
        let Selection { accounts, kinds, regions, digests, .. } = &self.selection;
        let (names, shape) = match Folders::parse(&address) {
            None if address.contains("/AWSLogs/") => (None, Shape::Keys),
            None => (None, if depth < DEPTH { Shape::Folders(depth) } else { Shape::Keys }),
            // There may be organizations beside accounts.
            Some(Folders { account: None, org: None, .. }) => (None, Shape::Folders(depth)),
            Some(Folders { account: None, .. }) => (accounts.as_ref(), Shape::Folders(depth)),
            // Digests have a kind of their own, beside those that are asked for.
            Some(Folders { kind: None, .. }) if *digests => (None, Shape::Folders(depth)),
            Some(Folders { kind: None, .. }) => (kinds.as_ref(), Shape::Folders(depth)),
            Some(Folders { region: None, .. }) => (regions.as_ref(), Shape::Folders(depth)),
            Some(folders) if folders.below_region() == 0 => (None, Shape::Folders(depth)),
            Some(folders) if folders.below_region() < 3 => return vec![Part::Ahead(self.days(prefix, folders.below_region()))],
            Some(_) => (None, Shape::Keys),
        };
        if let Some(names) = names {
            return self.named(&prefix, names, depth);
        }
        let range = Range { prefix, folders: shape != Shape::Keys, ..Range::default() };
        vec![Part::Ahead(Ask { range, shape, ..Ask::default() })]
    }

    /// Folders that need not be looked for, since nothing else is asked for.
    fn named(&self, prefix: &str, names: &HashSet<String>, depth: usize) -> Vec<Part> {
        let mut names: Vec<_> = names.iter().collect();
        names.sort_unstable();
        names.into_iter().flat_map(|name| self.look_into(format!("{prefix}{name}/"), depth + 1)).collect()
    }

    /// The days of a year or a month that are asked for.
    fn days(&self, prefix: String, below_region: usize) -> Ask {
        let region = prefix.trim_end_matches('/').rsplitn(below_region + 1, '/').last().unwrap_or_default();
        let key = |time: i64| Some(format!("{region}/{}", DateTime::from_timestamp_micros(time)?.format("%Y/%m/%d")));
        let (first, last) = self.selection.days();
        let floor = self.selection.floors.as_ref().and_then(|floors| floors.get(&self.address(region)));
        let floor = floor.map(|day| format!("{region}/{day}"));
        let after = first.and_then(key).max(floor).filter(|after| after.starts_with(&prefix));
        let until = last.and_then(key).map(|last| format!("{last}0"));
        Ask { range: Range { prefix, after, ..Range::default() }, until, ..Ask::default() }
    }

    fn object(&self, object: Object) -> Listed {
        if object.key.ends_with('/') || !has_log_ending(Path::new(&object.key)) {
            return Listed::Skipped(self.entry(object), Skip::Name);
        }
        self.file(object)
    }

    fn file(&self, object: Object) -> Listed {
        Listed::chosen(self.entry(object), &self.selection)
    }

    fn entry(&self, Object { key, size, etag, modified }: Object) -> Entry {
        let at = At::Bucket(Arc::clone(&self.bucket));
        Entry { key: self.address(&key), at, size: Some(size), etag, modified, first: 0 }
    }

    pub(super) fn address(&self, key: &str) -> String {
        self.bucket.address(key)
    }
}

impl Part {
    fn waiting(&self) -> usize {
        if let Self::Found(found) = self { found.len() } else { 0 }
    }
}

#[cfg(test)]
mod tests;
