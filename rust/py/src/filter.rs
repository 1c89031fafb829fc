//! Predicates as Python writes them, and filters in the languages of AWS.

use std::sync::Mutex;

use ctfast_core::filter::{Field, Predicate, Single, Test};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::to_exception;
use crate::scan::lock;

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
