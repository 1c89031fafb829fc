//! Predicates from Python, and filters in the languages of AWS.

use std::sync::{Arc, Mutex};

use ctfast_core::filter::pattern::State;
use ctfast_core::filter::selector::{EventSelectors, Target, Unknown};
use ctfast_core::filter::{Form, Language, Pushed, Refused, Single, Stated, Switches, Test};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::{self, to_exception};
use crate::patience::lock;

/// A condition on records.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Filter {
    pub(crate) stated: Arc<Stated>,
    /// The filter compiled for single records, once one was tested.
    single: Mutex<Option<Single>>,
}

impl Filter {
    fn new(stated: impl Into<Stated>) -> Self {
        Self { stated: Arc::new(stated.into()), single: Mutex::new(None) }
    }
}

/// A condition that is not met, and what the record has instead.
type Unmet = (String, Vec<String>);

/// Severity, code, message, path, line and column.
type Finding = (&'static str, &'static str, String, Option<String>, Option<usize>, Option<usize>);

#[pymethods]
impl Filter {
    /// A condition of a language, with its normal form.
    #[staticmethod]
    #[pyo3(signature = (text, language, *, target=None, missing_read_only="write", missing_differs=false, state=None))]
    fn read(
        py: Python<'_>,
        text: &str,
        language: &str,
        target: Option<&str>,
        missing_read_only: &str,
        missing_differs: bool,
        state: Option<&str>,
    ) -> PyResult<(Self, String)> {
        let switches = Switches {
            target: to_target(target)?,
            missing_read_only: Unknown::of(missing_read_only).ok_or_else(|| {
                let words = "missing_read_only must be write, read or neither, not";
                PyValueError::new_err(format!("{words} {missing_read_only:?}"))
            })?,
            missing_differs,
            state: state.map(to_state).transpose()?,
        };
        let written = to_language(language)?.read(text, switches).map_err(|refused| refusal(py, &refused))?;
        let form = written.to_string();
        Ok((Self::new(Form::Written(written)), form))
    }

    /// Events of a category, stated or derived.
    #[staticmethod]
    fn category(name: String) -> Self {
        Self::new(Form::Category(name))
    }

    /// Met if all are met.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "pyo3 gives lists by value")]
    fn all(filters: Vec<PyRef<'_, Self>>) -> Self {
        Self::new(Stated::all(filters.iter().map(|filter| &*filter.stated)))
    }

    /// Met if one is met.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "pyo3 gives lists by value")]
    fn any(filters: Vec<PyRef<'_, Self>>) -> Self {
        Self::new(Stated::any(filters.iter().map(|filter| &*filter.stated)))
    }

    /// Met if this is not met.
    fn negated(&self) -> Self {
        Self::new(self.stated.negated())
    }

    /// The warnings about the conditions that it consists of.
    fn findings(&self) -> Vec<Finding> {
        self.stated.form.check().into_iter().map(to_finding).collect()
    }

    /// Whether a record, as JSON, meets the filter.
    fn matches(&self, py: Python<'_>, record: &[u8]) -> PyResult<bool> {
        let mut single = lock(&self.single);
        let single = single.get_or_insert_with(|| Single::new(&self.stated.filter));
        single.matches(record).map_err(|error| to_exception(py, &error))
    }

    /// The conditions that a record, as JSON, does not meet.
    fn explain(&self, py: Python<'_>, record: &[u8]) -> PyResult<Vec<Unmet>> {
        let mut single = lock(&self.single);
        let single = single.get_or_insert_with(|| Single::new(&self.stated.filter));
        let unmet = single.explain(record).map_err(|error| to_exception(py, &error))?;
        Ok(unmet.into_iter().map(|unmet| (unmet.condition, unmet.found)).collect())
    }
}

/// The partition of a region.
#[pyfunction]
pub(crate) fn partition(region: &str) -> &'static str {
    ctfast_core::partition::partition(region)
}

/// Event selectors as advanced ones, in JSON.
#[pyfunction]
pub(crate) fn advanced_event_selectors(py: Python<'_>, text: &str) -> PyResult<String> {
    let selectors = EventSelectors::read(text, Target::Either).map_err(|error| refusal(py, &error.into()))?;
    let selectors: Vec<_> = selectors.to_advanced().iter().map(ToString::to_string).collect();
    Ok(format!("[{}]", selectors.join(",")))
}

/// Which of the names was probably meant by a word.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "pyo3 gives lists by value")]
pub(crate) fn nearest(word: &str, names: Vec<String>, alike: f64) -> Option<usize> {
    ctfast_core::words::nearest(word, &names, alike)
}

/// The errors and warnings about the text of a condition.
#[pyfunction]
#[pyo3(signature = (text, language, *, state))]
pub(crate) fn lint(text: &str, language: &str, state: Option<&str>) -> PyResult<Vec<Finding>> {
    let switches = Switches { state: state.map(to_state).transpose()?, ..Switches::default() };
    let read = to_language(language)?.read(text, switches);
    let findings = read.map_or_else(|Refused(findings)| findings, |written| written.check());
    Ok(findings.into_iter().map(to_finding).collect())
}

fn to_finding(finding: ctfast_core::filter::Finding) -> Finding {
    let ctfast_core::filter::Finding { severity, code, message, path, position } = finding;
    let (line, column) = position.unzip();
    (severity.name(), code, message, (!path.is_empty()).then_some(path), line, column)
}

/// The exception for a text that AWS would refuse: the first reason.
fn refusal(py: Python<'_>, refused: &Refused) -> PyErr {
    let first = refused.first().cloned().map(to_finding);
    let (_, kind, message, path, line, column) = first.expect("what is refused has an error");
    error::refusal(py, (message, path, line, column, kind))
}

fn to_language(name: &str) -> PyResult<&'static Language> {
    Language::of(name).ok_or_else(|| PyValueError::new_err(format!("no filter language is called {name:?}")))
}

fn to_state(name: &str) -> PyResult<State> {
    let names = State::ALL.map(State::name).join(", ");
    State::of(name).ok_or_else(|| PyValueError::new_err(format!("state must be one of {names}, not {name:?}")))
}

fn to_target(name: Option<&str>) -> PyResult<Target> {
    match name {
        None => Ok(Target::Either),
        Some("trail") => Ok(Target::Trail),
        Some("event-data-store") => Ok(Target::EventDataStore),
        Some(other) => Err(PyValueError::new_err(format!("target must be trail or event-data-store, not {other:?}"))),
    }
}

/// `("all" | "any", [predicate, …])`, or `(test, path, argument …)`.
pub(crate) fn pushed(tuple: &Bound<'_, PyTuple>) -> PyResult<Pushed> {
    let name: String = tuple.get_item(0)?.extract()?;
    if let "all" | "any" = name.as_str() {
        let parts: Vec<Bound<'_, PyTuple>> = tuple.get_item(1)?.extract()?;
        let parts = parts.iter().map(pushed).collect::<PyResult<_>>()?;
        return Ok(if name == "all" { Pushed::all(parts) } else { Pushed::any(parts) });
    }
    let argument = || tuple.get_item(2)?.extract::<String>();
    let test = match name.as_str() {
        "in" => Test::In(tuple.get_item(2)?.extract()?),
        "not_equal" => Test::NotEqual(argument()?),
        "starts_with" => Test::StartsWith(argument()?),
        "ends_with" => Test::EndsWith(argument()?),
        "contains" => Test::Contains(argument()?),
        "is" => Test::Is(tuple.get_item(2)?.extract()?),
        "between" => Test::Between(tuple.get_item(2)?.extract()?, tuple.get_item(3)?.extract()?),
        "is_null" => Test::IsNull,
        "is_not_null" => Test::IsNotNull,
        _ => return Err(PyValueError::new_err(format!("unknown test: {name}"))),
    };
    let path: String = tuple.get_item(1)?.extract()?;
    Pushed::column(&path, test).ok_or_else(|| PyValueError::new_err(format!("{path} cannot be tested with {name}")))
}
