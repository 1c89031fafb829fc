//! The normal form of event selectors: the JSON that `put-event-selectors` accepts.

use std::fmt;

use super::{AdvancedSelector, BasicSelector, DataResource, EventSelectors, FieldSelector};
use crate::json::quote;

impl fmt::Display for EventSelectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic(selectors) => write!(f, r#"{{"EventSelectors":{}}}"#, list(selectors)),
            Self::Advanced(selectors) => write!(f, r#"{{"AdvancedEventSelectors":{}}}"#, list(selectors)),
        }
    }
}

impl fmt::Display for BasicSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { read_write, management, resources, excluded } = self;
        write!(f, r#"{{"ReadWriteType":"{}","IncludeManagementEvents":{management},"#, read_write.name())?;
        write!(f, r#""DataResources":{},"ExcludeManagementEventSources":{}}}"#, list(resources), texts(excluded))
    }
}

impl fmt::Display for DataResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"{{"Type":{},"Values":{}}}"#, quote(&self.kind), texts(&self.values))
    }
}

impl fmt::Display for AdvancedSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        if let Some(name) = &self.name {
            write!(f, r#""Name":{},"#, quote(name))?;
        }
        write!(f, r#""FieldSelectors":{}}}"#, list(&self.fields))
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"{{"Field":"{}""#, self.field.name())?;
        for (operator, values) in &self.conditions {
            write!(f, r#","{}":{}"#, operator.name(), texts(values))?;
        }
        f.write_str("}")
    }
}

fn list(items: &[impl fmt::Display]) -> String {
    format!("[{}]", items.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}

fn texts(texts: &[String]) -> String {
    list(&texts.iter().map(|text| quote(text)).collect::<Vec<_>>())
}
