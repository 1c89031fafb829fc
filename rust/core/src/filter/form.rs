//! The meaning of a filter as a value: conditions in the normal form of their language, and how they are combined.

use super::pattern::State;
use super::selector::Unknown;
use super::{Derived, Filter, Finding, Language, Path, Predicate, Switches, TextTest, ValueTest, Written};
use crate::json::canon::{Members, each, flag, list, object, optional, text};
use crate::json::document::Node;
use crate::json::quote;

const LANGUAGE: &str = "language";

/// The meaning of a filter.
#[derive(Debug, Clone)]
pub enum Form {
    /// A condition of a language.
    Written(Written),
    /// Events of a category, stated or derived.
    Category(String),
    /// Every one is met.
    All(Vec<Form>),
    /// At least one is met.
    Any(Vec<Form>),
    /// It is not met.
    Not(Box<Form>),
}

/// A filter, and its form.
#[derive(Debug, Clone)]
pub struct Stated {
    /// The form.
    pub form: Form,
    /// The compiled filter.
    pub filter: Filter,
}

impl Form {
    /// The filter of this form.
    #[must_use]
    pub fn filter(&self) -> Filter {
        let filters = |forms: &[Self]| forms.iter().map(Self::filter).collect::<Vec<_>>();
        match self {
            Self::Written(written) => written.compile(),
            Self::Category(name) => {
                let test = ValueTest::Text(TextTest::one_of([name.as_str()]));
                let path = Path::Derived(Derived::Category);
                Filter::on_records(Predicate::value(path, test, format!("eventCategory = {name}")))
            }
            Self::All(forms) => Filter::all(&filters(forms)),
            Self::Any(forms) => Filter::any(&filters(forms)),
            Self::Not(form) => form.filter().negated(),
        }
    }

    /// The form as JSON: equal for filters with equal normal forms.
    #[must_use]
    pub fn json(&self) -> String {
        match self {
            Self::Written(written) => {
                let (language, text) = (quote(written.language.name), quote(&written.to_string()));
                object([(LANGUAGE, language), ("text", text), written.switch()])
            }
            Self::Category(name) => object([("category", quote(name))]),
            Self::All(forms) => object([("all", list(forms.iter().map(Self::json)))]),
            Self::Any(forms) => object([("any", list(forms.iter().map(Self::json)))]),
            Self::Not(form) => object([("not", form.json())]),
        }
    }

    /// The form in a text of [`Self::json`].
    pub(crate) fn of(node: &Node) -> Result<Self, String> {
        let form = Members::of(node, "a filter")?;
        if form.has("all") {
            return form.get("all", each(Self::of)).map(Self::All);
        }
        if form.has("any") {
            return form.get("any", each(Self::of)).map(Self::Any);
        }
        if form.has("not") {
            return form.get("not", Self::of).map(|form| Self::Not(Box::new(form)));
        }
        if form.has("category") {
            return form.get("category", text).map(Self::Category);
        }
        let name = form.get(LANGUAGE, text)?;
        let language = Language::of(&name).ok_or_else(|| format!("a filter is in an unknown language, {name}"))?;
        let written = language.read_form(&form.get("text", text)?, switches(&form)?);
        written.map(Self::Written).map_err(|refused| refused.to_string())
    }

    /// The warnings about the conditions that it consists of.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        match self {
            Self::Written(written) => written.check(),
            Self::Category(_) => Vec::new(),
            Self::All(forms) | Self::Any(forms) => forms.iter().flat_map(Self::check).collect(),
            Self::Not(form) => form.check(),
        }
    }
}

/// The options in a form, with defaults for missing ones.
fn switches(form: &Members<'_>) -> Result<Switches, String> {
    let mut switches = Switches::default();
    if form.has("missing_read_only") {
        let name = form.get("missing_read_only", text)?;
        switches.missing_read_only =
            Unknown::of(&name).ok_or_else(|| format!("a filter: missing_read_only is {name}"))?;
    }
    if form.has("missing_differs") {
        switches.missing_differs = form.get("missing_differs", flag)?;
    }
    if form.has("state") {
        let known = |name: String| State::of(&name).ok_or_else(|| format!("a filter: state is {name}"));
        switches.state = form.get("state", optional(text))?.map(known).transpose()?;
    }
    Ok(switches)
}

impl From<Form> for Stated {
    fn from(form: Form) -> Self {
        Self { filter: form.filter(), form }
    }
}

impl Stated {
    /// Met if all are met.
    pub fn all<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let (forms, filters) = taken_apart(parts);
        Self { form: Form::All(forms), filter: Filter::all(&filters) }
    }

    /// Met if one is met.
    pub fn any<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let (forms, filters) = taken_apart(parts);
        Self { form: Form::Any(forms), filter: Filter::any(&filters) }
    }

    /// Met if this is not met.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self { form: Form::Not(Box::new(self.form.clone())), filter: self.filter.negated() }
    }
}

fn taken_apart<'a>(parts: impl IntoIterator<Item = &'a Stated>) -> (Vec<Form>, Vec<Filter>) {
    parts.into_iter().map(|part| (part.form.clone(), part.filter.clone())).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(language: &str, text: &str, switches: Switches) -> Form {
        let language = Language::of(language).expect(language);
        Form::Written(language.read(text, switches).expect(text))
    }

    fn metric(pattern: &str) -> Form {
        written("filter pattern", pattern, Switches::default())
    }

    fn again(json: &str) -> Form {
        Form::of(&Node::parse(json).expect("JSON")).expect(json)
    }

    #[test]
    fn a_form_comes_back_from_its_json_and_is_one_for_one_normal_form() {
        let pattern = r#"{"detail": {"eventName": [{"prefix": "Del\u0065te"}]}}"#;
        let [none, enabled] = [None, Some(State::Enabled)].map(|state| Switches { state, ..Switches::default() });
        let neither = Switches { missing_read_only: Unknown::Neither, ..Switches::default() };
        let differs = Switches { missing_differs: true, ..Switches::default() };
        let forms = vec![
            metric("{$.eventName=\"a\"}"),
            written("filter pattern", "{$.eventName!=\"a\"}", differs),
            written("event pattern", pattern, none),
            written("event pattern", pattern, enabled),
            written("event selectors", r#"[{"ReadWriteType": "All"}]"#, neither),
            Form::Category("Data".to_owned()),
        ];
        let whole = Form::Any(vec![Form::All(forms.clone()), Form::Not(Box::new(metric("")))]);
        for form in forms.iter().chain([&whole]) {
            let same = again(&form.json());
            assert_eq!(same.json(), form.json());
            assert_eq!(format!("{:?}", same.filter()), format!("{:?}", form.filter()));
        }
        assert_eq!(metric("{$.a=1}").json(), metric("{ ($.a = 1) }").json());
    }

    #[test]
    fn a_normal_form_may_be_longer_than_a_pattern_may() {
        let form = metric(&format!("{{{}}}", vec!["$.a=1"; 120].join("||")));
        assert!(form.json().len() > 1024);
        assert_eq!(again(&form.json()).json(), form.json());
    }
}
