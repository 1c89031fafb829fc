//! The plan of a listing: what to ask a bucket for next, and which keys come next in order.
//!
//! The first page is one of keys, so that their objects can be read while folders are being found: a small bucket needs
//! no other. After its last key, down to regions, folders are found by listings cut at slashes, or follow from the
//! selection. The years of a region are listed in one go each, from the first selected day to the last. A listing of
//! more than one page is split into months and days, which are listed in parallel. The parts of a split leave no key
//! out, whatever it looks like. If a time is selected, the keys below a year are in the order of their days, and days
//! outside of the range are not listed.

use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use chrono::DateTime;

use super::client::Bucket;
use super::list::{Object, Page, Range};
use super::trail::Trail;
use crate::error::{Error, ErrorKind};
use crate::source::key::Folders;
use crate::source::{At, Choice, Entry, Listed, Sieve, Skip, has_log_ending};

/// Listings under way at once.
const LISTINGS: usize = 16;
/// No more listings are started while this many keys wait for their reader.
const WAITING: usize = 8 << 10;
/// Levels of folders above `AWSLogs` that are listed one by one; whatever is deeper is listed in one go.
const DEPTH: usize = 4;

/// A listing in progress, as a sequence of parts in the order of their keys.
pub(super) struct Tree {
    bucket: Arc<Bucket>,
    sieve: Sieve,
    parts: VecDeque<Part>,
    /// The last key of the first page, if there are more.
    passed: Option<String>,
    /// Keys in `parts`.
    waiting: usize,
    under_way: usize,
    next: u64,
}

enum Part {
    /// Steps that were found.
    Found(Vec<Listed>),
    /// A listing that has not started.
    Ahead(Ask),
    /// A listing that is running, by its number.
    Asked(u64, Ask),
}

/// A listing to make.
#[derive(Debug, Clone, Default)]
struct Ask {
    range: Range,
    /// The last key to list.
    until: Option<String>,
    shape: Shape,
    /// What should exist below the prefix.
    expects: Expected,
    /// The pages so far.
    trail: Trail,
}

/// What should be found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Expected {
    /// Anything, or nothing.
    #[default]
    Nothing,
    /// A folder named by the user; it exists if it has keys.
    Folder,
    /// A folder named by the user, or an object of that name.
    FolderOrObject,
}

/// What a listing looks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Shape {
    /// Keys, page by page.
    #[default]
    Keys,
    /// One page of keys, then folders.
    First,
    /// Folders to list, at this depth below the root; and keys next to them.
    Folders(usize),
    /// The one object of this key.
    Object,
}

/// How a folder is listed.
enum Step<'a> {
    /// Its folders, and keys next to them.
    Folders,
    /// Folders with these names.
    Named(&'a HashSet<String>),
    /// Days of a year or a month, so many levels below a region.
    Days(usize),
    /// All keys below it.
    Keys,
}

impl Tree {
    /// Lists what is below a prefix, or the object with this key if there is nothing below it.
    pub(super) fn new(bucket: Arc<Bucket>, prefix: &str, sieve: Sieve) -> Self {
        let mut tree = Self { bucket, sieve, parts: VecDeque::new(), passed: None, waiting: 0, under_way: 0, next: 0 };
        let (folder, expected) = if prefix.is_empty() || prefix.ends_with('/') {
            (prefix.to_owned(), Expected::Folder)
        } else {
            (format!("{prefix}/"), Expected::FolderOrObject)
        };
        tree.parts = tree.plan(folder, 0).into();
        if let [Part::Ahead(ask)] = tree.parts.make_contiguous() {
            ask.expects = expected;
            // A selection knows where its keys are, or that most folders hold none.
            if matches!(ask.shape, Shape::Folders(_)) && tree.sieve.takes_all() {
                (ask.shape, ask.range.folders) = (Shape::First, false);
            }
        }
        tree
    }

    /// The next listing to start, and its number. When everything found was taken, either there is one or one is
    /// running.
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

    /// Takes a page of the listing with this number; fails if it shows that what should exist does not.
    pub(super) fn answer(&mut self, number: u64, page: Page) -> Result<(), Error> {
        let Some(place) = self.parts.iter().position(|part| matches!(part, Part::Asked(asked, _) if *asked == number))
        else {
            return Ok(());
        };
        let mut after = self.parts.split_off(place);
        let Some(Part::Asked(_, ask)) = after.pop_front() else { return Ok(()) };
        self.under_way -= 1;
        if ask.shape == Shape::First && page.token.is_some() {
            self.passed = page.objects.iter().map(|object| &object.key).max().cloned();
        }
        let found = self.unfold(ask, page)?;
        self.waiting += found.iter().map(Part::waiting).sum::<usize>();
        self.parts.extend(found);
        self.parts.append(&mut after);
        Ok(())
    }

    /// The next steps, as far as they are known.
    pub(super) fn take(&mut self) -> Option<Vec<Listed>> {
        let Some(Part::Found(_)) = self.parts.front() else { return None };
        let Some(Part::Found(found)) = self.parts.pop_front() else { return None };
        self.waiting -= found.len();
        Some(found)
    }

    /// Whether everything was returned.
    pub(super) fn is_done(&self) -> bool {
        self.parts.is_empty()
    }

    fn unfold(&self, mut ask: Ask, page: Page) -> Result<Vec<Part>, Error> {
        if page.token.is_some() {
            ask.trail.follow(&page).map_err(|error| error.in_file(&self.address(&ask.range.prefix)))?;
        }
        let is_empty = page.objects.is_empty() && page.folders.is_empty();
        match ask.shape {
            // S3 may send a page without a key, and more after it: nothing is known yet.
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
            Shape::First => Ok(self.unfold_first(&ask, page)),
            Shape::Folders(depth) => Ok(self.unfold_folders(ask, page, depth)),
        }
    }

    /// The keys of the first page, as far as the listing of their folders would come to them, and what is after them.
    fn unfold_first(&self, ask: &Ask, mut page: Page) -> Vec<Part> {
        page.objects.sort_unstable();
        let root = &ask.range.prefix;
        let mut found = Vec::new();
        let mut pruned: Option<String> = None;
        for object in page.objects {
            if pruned.as_ref().is_some_and(|folder| object.key.starts_with(folder)) {
                continue;
            }
            match self.pruned(root, &object.key) {
                Some((folder, skip)) => {
                    found.push(Listed::Pruned(self.address(folder), skip));
                    pruned = Some(folder.to_owned());
                }
                None => found.push(self.object(object)),
            }
        }
        let mut parts = vec![Part::Found(found)];
        if page.token.is_some() {
            parts.extend(self.plan(root.clone(), 0));
        }
        parts
    }

    /// The first folder of a key that is not looked into, and why.
    fn pruned<'a>(&self, root: &str, key: &'a str) -> Option<(&'a str, Skip)> {
        let mut end = root.len();
        for depth in 0.. {
            if !matches!(self.step(&key[..end], depth), Step::Folders) {
                break;
            }
            end += key[end..].find('/')? + 1;
            let address = self.address(&key[..end]);
            self.sieve.see_folder(&address);
            if let Some(skip) = self.sieve.skips_folder(&address) {
                return Some((&key[..end], skip));
            }
        }
        None
    }

    fn unfold_folders(&self, ask: Ask, mut page: Page, depth: usize) -> Vec<Part> {
        // S3 sends folders in order; some compatible stores order them by name without the slash.
        page.folders.sort_unstable();
        page.objects.sort_unstable();
        if let Some(passed) = &self.passed {
            page.folders.retain(|folder| folder > passed || self.is_begun(folder));
            page.objects.retain(|object| object.key > *passed);
        }
        let mut parts = Vec::new();
        let mut found = Vec::new();
        let mut objects = page.objects.into_iter().peekable();
        for folder in page.folders {
            while let Some(object) = objects.next_if(|object| object.key < folder) {
                found.push(self.object(object));
            }
            parts.push(Part::Found(std::mem::take(&mut found)));
            self.sieve.see_folder(&self.address(&folder));
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

    /// What is left of a year or a month after its first page, in parts that can be listed in parallel.
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
        // A name that is not two digits sorts differently from its number.
        let number = |key: &str| {
            let name = key.strip_prefix(prefix.as_str())?.split_once('/')?.0;
            (name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| name.parse::<u32>().ok())
                .flatten()
        };
        let (begin, end) = (number(first)?, number(last)?);
        let keys = |prefix: &str, after: String, until| {
            let range = Range { prefix: prefix.to_owned(), after: Some(after), ..Range::default() };
            Ask { range, until, ..Ask::default() }
        };
        let bound = |until: String| Some(ask.until.clone().map_or(until.clone(), |most| most.min(until)));
        let ended = format!("{prefix}{end:02}");
        // The rest of the month or day in which the page ended; '0' is the character after the slash.
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

    /// How to list a folder that was found, or why it is pruned.
    fn look_into(&self, folder: String, depth: usize) -> Vec<Part> {
        let address = self.address(&folder);
        match self.sieve.skips_folder(&address) {
            // The first page has told it.
            Some(_) if self.is_begun(&folder) => Vec::new(),
            Some(skip) => vec![Part::Found(vec![Listed::Pruned(address, skip)])],
            None => self.plan(folder, depth),
        }
    }

    /// How to list a folder, after the first page.
    fn plan(&self, prefix: String, depth: usize) -> Vec<Part> {
        let (folders, shape, after) = match self.step(&prefix, depth) {
            Step::Named(names) => return self.named(&prefix, names, depth),
            Step::Days(below_region) => return vec![Part::Ahead(self.days(prefix, below_region))],
            // Not after a key: stores differ in whether they then list the folder of that key.
            Step::Folders => (true, Shape::Folders(depth), None),
            Step::Keys => (false, Shape::Keys, self.passed.clone().filter(|_| self.is_begun(&prefix))),
        };
        let range = Range { prefix, folders, after, ..Range::default() };
        vec![Part::Ahead(Ask { range, shape, ..Ask::default() })]
    }

    /// Whether the first page has ended in this folder.
    fn is_begun(&self, folder: &str) -> bool {
        self.passed.as_ref().is_some_and(|passed| passed.starts_with(folder))
    }

    /// How to list what is in a folder.
    fn step(&self, prefix: &str, depth: usize) -> Step<'_> {
        let address = self.address(prefix);
        let Choice { accounts, kinds, regions, digests, .. } = &self.sieve.choice;
        let names = match Folders::parse(&address) {
            None if address.contains("/AWSLogs/") || depth >= DEPTH => return Step::Keys,
            // There may be organizations next to accounts.
            None | Some(Folders { account: None, org: None, .. }) => &None,
            Some(Folders { account: None, .. }) => accounts,
            // Digests have a kind of their own, next to the selected kinds.
            Some(Folders { kind: None, .. }) if *digests => &None,
            Some(Folders { kind: None, .. }) => kinds,
            Some(Folders { region: None, .. }) => regions,
            Some(folders) if folders.below_region() == 0 => &None,
            Some(folders) if folders.below_region() < 3 => return Step::Days(folders.below_region()),
            Some(_) => return Step::Keys,
        };
        names.as_ref().map_or(Step::Folders, Step::Named)
    }

    /// Folders that need not be searched, since the selection names them.
    fn named(&self, prefix: &str, names: &HashSet<String>, depth: usize) -> Vec<Part> {
        let mut names: Vec<_> = names.iter().collect();
        names.sort_unstable();
        names.into_iter().flat_map(|name| self.look_into(format!("{prefix}{name}/"), depth + 1)).collect()
    }

    /// The selected days of a year or a month.
    fn days(&self, prefix: String, below_region: usize) -> Ask {
        let region = prefix.trim_end_matches('/').rsplitn(below_region + 1, '/').last().unwrap_or_default();
        let key = |time: i64| Some(format!("{region}/{}", DateTime::from_timestamp_micros(time)?.format("%Y/%m/%d")));
        let (first, last) = self.sieve.choice.days();
        let floor = self.sieve.floors.as_ref().and_then(|floors| floors.get(&self.address(region)));
        let floor = floor.map(|day| format!("{region}/{day}"));
        let passed = self.passed.clone();
        let after = first.and_then(key).max(floor).max(passed).filter(|after| after.starts_with(&prefix));
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
        Listed::chosen(self.entry(object), &self.sieve)
    }

    fn entry(&self, Object { key, size, etag, modified, archived }: Object) -> Entry {
        let at = At::Bucket(Arc::clone(&self.bucket));
        let key = self.address(&key);
        Entry { key, at, size: Some(size), etag, modified, archived, first: 0, is_planned: false }
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
