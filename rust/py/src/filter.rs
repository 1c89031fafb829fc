//! Predicates as Python writes them, and filters in the languages of AWS.

use std::sync::Mutex;

use ctfast_core::filter::metric::{FilterError, FilterPattern};
use ctfast_core::filter::pattern::{Pattern, PatternError, State};
use ctfast_core::filter::selector::{EventSelectors, SelectorError, Severity, Target, Unknown};
use ctfast_core::filter::{Derived, Field, Path, Predicate, Single, Test, TextTest, ValueTest};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::{refusal, to_exception};
use crate::patience::lock;

/// A condition on records.
#[pyclass(frozen, module = "ctfast._ctfast")]
pub(crate) struct Filter {
    filter: ctfast_core::filter::Filter,
    /// The same made ready for single records, from the first one on.
    single: Mutex<Option<Single>>,
}

impl Filter {
    fn new(filter: ctfast_core::filter::Filter) -> Self {
        Self { filter, single: Mutex::new(None) }
    }

    /// What a record of a scan must meet.
    pub(crate) fn predicate(&self) -> Predicate {
        self.filter.record.clone()
    }
}

/// A condition that is not met, and what the record has instead.
type Unmet = (String, Vec<String>);

#[pymethods]
impl Filter {
    /// Event selectors, with their normal form.
    #[staticmethod]
    #[pyo3(signature = (text, *, target, missing_read_only))]
    fn event_selectors(py: Python<'_>, text: &str, target: Option<&str>, missing_read_only: &str) -> PyResult<(Self, String)> {
        let unknown = match missing_read_only {
            "write" => Unknown::Write,
            "read" => Unknown::Read,
            "neither" => Unknown::Neither,
            other => {
                return Err(PyValueError::new_err(format!("missing_read_only must be write, read or neither, not {other:?}")));
            }
        };
        let selectors = EventSelectors::parse(text, to_target(target)?).map_err(|error| refused(py, &error))?;
        Ok((Self::new(ctfast_core::filter::Filter::on_records(selectors.predicate(unknown))), selectors.to_string()))
    }

    /// A filter pattern, with its normal form.
    #[staticmethod]
    #[pyo3(signature = (text, *, missing_differs))]
    fn filter_pattern(py: Python<'_>, text: &str, missing_differs: bool) -> PyResult<(Self, String)> {
        match FilterPattern::parse(text) {
            Ok(pattern) => Ok((Self::new(pattern.filter(missing_differs)), pattern.to_string())),
            Err(error) => Err(no_filter_pattern(py, &error)),
        }
    }

    /// Events of a category, whether they name it or not.
    #[staticmethod]
    fn category(name: &str) -> Self {
        let test = ValueTest::Text(TextTest::one_of([name]));
        let predicate = Predicate::value(Path::Derived(Derived::Category), test, format!("eventCategory = {name}"));
        Self::new(ctfast_core::filter::Filter::on_records(predicate))
    }

    /// An event pattern, with its normal form.
    #[staticmethod]
    #[pyo3(signature = (text, *, state))]
    fn event_pattern(py: Python<'_>, text: &str, state: Option<&str>) -> PyResult<(Self, String)> {
        let state = state.map(to_state).transpose()?;
        let pattern = Pattern::parse(text).map_err(|error| no_pattern(py, &error))?;
        Ok((Self::new(pattern.filter(state)), pattern.to_string()))
    }

    /// Met where all are.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "pyo3 gives lists by value")]
    fn all(filters: Vec<PyRef<'_, Self>>) -> Self {
        Self::new(ctfast_core::filter::Filter::all(&cores(&filters)))
    }

    /// Met where one is.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "pyo3 gives lists by value")]
    fn any(filters: Vec<PyRef<'_, Self>>) -> Self {
        Self::new(ctfast_core::filter::Filter::any(&cores(&filters)))
    }

    /// Met where this is not.
    fn negated(&self) -> Self {
        Self::new(self.filter.negated())
    }

    /// Whether a record, as JSON, meets the filter.
    fn matches(&self, py: Python<'_>, record: &[u8]) -> PyResult<bool> {
        let mut single = lock(&self.single);
        let single = single.get_or_insert_with(|| Single::new(&self.filter));
        single.matches(record).map_err(|error| to_exception(py, &error))
    }

    /// The conditions that a record, as JSON, does not meet.
    fn explain(&self, py: Python<'_>, record: &[u8]) -> PyResult<Vec<Unmet>> {
        let mut single = lock(&self.single);
        let single = single.get_or_insert_with(|| Single::new(&self.filter));
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
    let selectors = EventSelectors::parse(text, Target::Either).map_err(|error| refused(py, &error))?;
    let selectors: Vec<_> = selectors.to_advanced().iter().map(ToString::to_string).collect();
    Ok(format!("[{}]", selectors.join(",")))
}

/// What is refused of event selectors, and what surprises: severity, path, code and message of each.
#[pyfunction]
pub(crate) fn lint_event_selectors(
    text: &str,
    target: Option<&str>,
) -> PyResult<Vec<(&'static str, String, &'static str, String)>> {
    let findings = EventSelectors::lint(text, to_target(target)?);
    Ok(findings
        .into_iter()
        .map(|finding| (finding.severity.name(), finding.path, finding.code.name(), finding.message))
        .collect())
}

/// What surprises about a filter pattern: severity, code and message of each.
#[pyfunction]
pub(crate) fn lint_filter_pattern(py: Python<'_>, text: &str) -> PyResult<Vec<(&'static str, &'static str, String)>> {
    let remarks = FilterPattern::lint(text).map_err(|error| no_filter_pattern(py, &error))?;
    Ok(remarks.into_iter().map(|remark| (Severity::Warning.name(), remark.kind.name(), remark.to_string())).collect())
}

/// What surprises about an event pattern, or what a rule would not take: severity, path, code and message of each.
#[pyfunction]
#[pyo3(signature = (text, *, state))]
pub(crate) fn lint_event_pattern(
    py: Python<'_>,
    text: &str,
    state: Option<&str>,
) -> PyResult<Vec<(&'static str, String, &'static str, String)>> {
    let remarks = Pattern::lint(text, state.map(to_state).transpose()?).map_err(|error| no_pattern(py, &error))?;
    Ok(remarks
        .into_iter()
        .map(|remark| (remark.severity().name(), remark.field.clone(), remark.kind.name(), remark.kind.to_string()))
        .collect())
}

fn no_filter_pattern(py: Python<'_>, error: &FilterError) -> PyErr {
    let kind = error.kind();
    refusal(py, kind.to_string(), "", Some((error.line(), error.column())), kind.name())
}

fn no_pattern(py: Python<'_>, error: &PatternError) -> PyErr {
    let kind = error.kind();
    refusal(py, kind.to_string(), error.field(), Some(error.position()), kind.name())
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

fn refused(py: Python<'_>, error: &SelectorError) -> PyErr {
    let finding = error.finding();
    refusal(py, finding.message.clone(), &finding.path, None, finding.code.name())
}

fn cores(filters: &[PyRef<'_, Filter>]) -> Vec<ctfast_core::filter::Filter> {
    filters.iter().map(|filter| filter.filter.clone()).collect()
}

/// `("all" | "any", [predicate, …])`, or `(test, path, argument …)`.
pub(crate) fn predicate(tuple: &Bound<'_, PyTuple>) -> PyResult<Predicate> {
    let name: String = tuple.get_item(0)?.extract()?;
    if let "all" | "any" = name.as_str() {
        let parts: Vec<Bound<'_, PyTuple>> = tuple.get_item(1)?.extract()?;
        let parts = parts.iter().map(predicate).collect::<PyResult<_>>()?;
        return Ok(if name == "all" { Predicate::All(parts) } else { Predicate::Any(parts) });
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
    match Field::new(&path, &test) {
        Some(field) => Ok(Predicate::Column(field, test)),
        None => Err(PyValueError::new_err(format!("{path} cannot be tested with {name}"))),
    }
}
