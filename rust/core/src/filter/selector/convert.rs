//! Basic selectors as advanced ones.

use super::check::{S3_OBJECT, is_all};
use super::field::{Category, Field, Operator};
use super::{AdvancedSelector, BasicSelector, DataResource, EventSelectors, FieldSelector, ReadWrite};

impl EventSelectors {
    /// The equivalent advanced selectors: one for the management events of each basic selector, and one for each
    /// resource type.
    #[must_use]
    pub fn to_advanced(&self) -> Vec<AdvancedSelector> {
        match self {
            Self::Advanced(selectors) => selectors.clone(),
            Self::Basic(selectors) => selectors.iter().flat_map(BasicSelector::to_advanced).collect(),
        }
    }
}

impl BasicSelector {
    fn to_advanced(&self) -> Vec<AdvancedSelector> {
        let mut selectors = Vec::new();
        if self.management {
            let mut fields = vec![equals(Field::EventCategory, [Category::Management.name()])];
            fields.extend(self.read_write.field());
            if !self.excluded.is_empty() {
                let conditions = vec![(Operator::NotEquals, self.excluded.clone())];
                fields.push(FieldSelector { field: Field::EventSource, conditions });
            }
            selectors.push(AdvancedSelector { name: None, fields });
        }
        // A type that occurs twice is one condition with all of its values.
        let mut resources: Vec<DataResource> = Vec::new();
        for DataResource { kind, values } in &self.resources {
            match resources.iter_mut().find(|known| known.kind == *kind) {
                Some(known) => known.values.extend_from_slice(values),
                None => resources.push(DataResource { kind: kind.clone(), values: values.clone() }),
            }
        }
        selectors.extend(resources.into_iter().map(|resource| self.data(resource)));
        selectors
    }

    fn data(&self, DataResource { kind, values }: DataResource) -> AdvancedSelector {
        let mut fields = vec![equals(Field::EventCategory, [Category::Data.name()])];
        fields.extend(self.read_write.field());
        let operator = if kind == S3_OBJECT { Operator::StartsWith } else { Operator::Equals };
        let all = values.iter().any(|value| is_all(&kind, value));
        fields.push(equals(Field::ResourcesType, [kind]));
        if !all {
            fields.push(FieldSelector { field: Field::ResourcesArn, conditions: vec![(operator, values)] });
        }
        AdvancedSelector { name: None, fields }
    }
}

impl ReadWrite {
    fn field(self) -> Option<FieldSelector> {
        match self {
            Self::All => None,
            Self::ReadOnly => Some(equals(Field::ReadOnly, ["true"])),
            Self::WriteOnly => Some(equals(Field::ReadOnly, ["false"])),
        }
    }
}

fn equals(field: Field, values: [impl Into<String>; 1]) -> FieldSelector {
    FieldSelector { field, conditions: vec![(Operator::Equals, values.map(Into::into).to_vec())] }
}
