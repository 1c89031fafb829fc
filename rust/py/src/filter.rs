//! Predicates as Python writes them: nested tuples, whose first item names the rest.

use ctfast_core::filter::{Field, Predicate, Test};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

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
