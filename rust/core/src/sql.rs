//! Whether a SQL query reads one table and nothing else. What is not known to do so is refused.

use std::ops::ControlFlow;
use std::thread;

use sqlparser::ast::{Expr, ObjectName, Query, SetExpr, Statement, TableFactor, Visit, Visitor};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserOptions};

/// Table functions that are allowed: they only generate numbers.
const FUNCTIONS: [&str; 2] = ["generate_series", "range"];
/// Deeper nesting is refused, so that no walk overflows the stack. Each `a` of `a + a + …` is a level, and so is each
/// `SELECT` of a `UNION`.
const DEPTH: usize = 500;

/// Why a query is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// It is not SQL: the parser's message.
    Syntax(String),
    /// It has this many statements.
    Statements(usize),
    /// It is not a query: the statement's first word.
    Statement(String),
    /// It reads this table.
    Table(String),
    /// It reads from this function.
    Function(String),
    /// Its expressions, or its set operations, are nested deeper.
    TooDeep(usize),
}

impl Refused {
    /// A short, stable name, and what is refused.
    #[must_use]
    pub fn parts(self) -> (&'static str, String) {
        match self {
            Self::Syntax(words) => ("syntax", words),
            Self::Statements(count) => ("statements", count.to_string()),
            Self::Statement(word) => ("statement", word),
            Self::Table(name) => ("table", name),
            Self::Function(name) => ("function", name),
            Self::TooDeep(depth) => ("too-deep", depth.to_string()),
        }
    }
}

/// Stack for a walk of that depth, independent of the caller's. It is reserved, and used only as needed.
const STACK: usize = 64 << 20;

/// Checks that a query reads only this table. Nothing is opened.
pub fn check(text: &str, table: &str) -> Result<(), Refused> {
    thread::scope(|scope| {
        let walk = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || walk(text, table));
        // If it cannot be checked, it is refused.
        walk.ok().and_then(|walk| walk.join().ok()).unwrap_or(Err(Refused::TooDeep(DEPTH)))
    })
}

fn walk(text: &str, table: &str) -> Result<(), Refused> {
    // With the options that Polars uses.
    let options = ParserOptions::new().with_trailing_commas(true);
    let parser = Parser::new(&GenericDialect {}).with_options(options);
    let parsed = parser.try_with_sql(text).and_then(|mut parser| parser.parse_statements());
    let statements = parsed.map_err(|error| Refused::Syntax(error.to_string()))?;
    let [statement] = &statements[..] else { return Err(Refused::Statements(statements.len())) };
    let asked = if let Statement::Explain { statement, .. } = statement { statement } else { statement };
    let query = match asked {
        Statement::Query(query) => query,
        Statement::ShowTables { .. } => return Ok(()),
        _ => return Err(no_query(statement)),
    };
    let result = query.visit(&mut Reads { table, named: Vec::new(), depth: 0 });
    if let ControlFlow::Break(refused) = result {
        // Dropping a tree that is nested too deep takes as much stack as walking it.
        if matches!(refused, Refused::TooDeep(_)) {
            std::mem::forget(statements);
        }
        return Err(refused);
    }
    Ok(())
}

fn no_query(statement: &Statement) -> Refused {
    let text = statement.to_string();
    Refused::Statement(text.split_whitespace().next().unwrap_or_default().to_owned())
}

/// Walks through a query.
struct Reads<'a> {
    table: &'a str,
    /// Names defined by `WITH`, for each enclosing query.
    named: Vec<Vec<String>>,
    depth: usize,
}

impl Reads<'_> {
    fn table(&self, name: &[&str]) -> ControlFlow<Refused> {
        if let [name] = name {
            let is = |other: &str| other.eq_ignore_ascii_case(name);
            if is(self.table) || self.named.iter().flatten().any(|name| is(name)) {
                return ControlFlow::Continue(());
            }
        }
        ControlFlow::Break(Refused::Table(name.join(".")))
    }

    /// Checks what the visitor does not report as a table. `depth` counts the enclosing set operations.
    fn body(&self, mut body: &SetExpr, mut depth: usize) -> ControlFlow<Refused> {
        loop {
            body = match body {
                SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => return ControlFlow::Continue(()),
                SetExpr::SetOperation { .. } if depth == DEPTH => return ControlFlow::Break(Refused::TooDeep(DEPTH)),
                // A chain of unions is nested to the left.
                SetExpr::SetOperation { left, right, .. } => {
                    depth += 1;
                    self.body(right, depth)?;
                    left
                }
                SetExpr::Table(table) => {
                    return self.table(
                        &table.schema_name.iter().chain(&table.table_name).map(String::as_str).collect::<Vec<_>>(),
                    );
                }
                SetExpr::Insert(statement)
                | SetExpr::Update(statement)
                | SetExpr::Delete(statement)
                | SetExpr::Merge(statement) => {
                    return ControlFlow::Break(no_query(statement));
                }
            }
        }
    }
}

fn parts(name: &ObjectName) -> Option<Vec<&str>> {
    name.0.iter().map(|part| part.as_ident().map(|ident| ident.value.as_str())).collect()
}

impl Visitor for Reads<'_> {
    type Break = Refused;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Refused> {
        let with = query.with.iter().flat_map(|with| &with.cte_tables);
        self.named.push(with.map(|table| table.alias.name.value.clone()).collect());
        self.body(&query.body, 0)
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Refused> {
        self.named.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Refused> {
        match factor {
            TableFactor::Table { name, args: None, .. } => match parts(name) {
                Some(name) => self.table(&name),
                None => ControlFlow::Break(Refused::Function(name.to_string())),
            },
            TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => {
                let known = parts(name).is_some_and(
                    |name| matches!(&name[..], [one] if FUNCTIONS.iter().any(|known| known.eq_ignore_ascii_case(one))),
                );
                if known { ControlFlow::Continue(()) } else { ControlFlow::Break(Refused::Function(name.to_string())) }
            }
            TableFactor::Derived { .. }
            | TableFactor::NestedJoin { .. }
            | TableFactor::UNNEST { .. }
            | TableFactor::Pivot { .. }
            | TableFactor::Unpivot { .. } => ControlFlow::Continue(()),
            other => ControlFlow::Break(Refused::Function(other.to_string())),
        }
    }

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<Refused> {
        self.depth += 1;
        if self.depth > DEPTH { ControlFlow::Break(Refused::TooDeep(DEPTH)) } else { ControlFlow::Continue(()) }
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<Refused> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<(&'static str, String)> {
        check(text, "events").err().map(Refused::parts)
    }

    #[test]
    fn a_query_of_the_table_passes() {
        for text in [
            "SELECT 1",
            "SELECT userIdentity.arn, count(*) AS n, FROM events WHERE eventName LIKE 'read_csv(%' GROUP BY 1 \
             ORDER BY n DESC LIMIT 3",
            "FROM events",
            "SELECT * FROM \"events\" AS e JOIN Events AS f ON e.eventID = f.sharedEventID",
            "WITH a AS (SELECT * FROM events), b AS (SELECT * FROM a) SELECT * FROM b UNION ALL (SELECT * FROM A)",
            "SELECT * FROM (SELECT * FROM events) AS t WHERE x IN (SELECT x FROM events) AND EXISTS (SELECT 1 \
             FROM events)",
            "SELECT * FROM (VALUES (1, 2)) AS t(a, b), UNNEST([1]) AS u(c), generate_series(1, 5)",
            "EXPLAIN SELECT * FROM events",
            "SHOW TABLES",
            "SELECT * FROM events UNION TABLE events;",
        ] {
            assert_eq!(refused(text), None, "{text}");
        }
    }

    #[test]
    fn whatever_else_is_read_is_named() {
        let table = |name: &str| Some(("table", name.to_owned()));
        let function = |name: &str| Some(("function", name.to_owned()));
        for (text, expected) in [
            ("SELECT * FROM read_csv('/etc/passwd')", function("read_csv")),
            ("SELECT * FROM events, \"Read_CSV\" ('x') AS t", function("\"Read_CSV\"")),
            ("SELECT * FROM events CROSS JOIN a.read_parquet('http://x')", function("a.read_parquet")),
            ("SELECT (SELECT max(a) FROM read_csv('x')) FROM events", function("read_csv")),
            ("SELECT x FROM events ORDER BY (SELECT max(a) FROM read_csv('x'))", function("read_csv")),
            ("WITH t AS (SELECT * FROM read_json('x')) SELECT * FROM events", function("read_json")),
            ("SELECT * FROM events EXCEPT SELECT * FROM read_ipc('x')", function("read_ipc")),
            ("EXPLAIN SELECT * FROM read_csv('x')", function("read_csv")),
            ("FROM read_csv('x')", function("read_csv")),
            ("SELECT * FROM TABLE(read_csv('x'))", function("TABLE(read_csv('x'))")),
            ("SELECT * FROM 'x.csv'", table("x.csv")),
            ("SELECT * FROM \"/etc/passwd\"", table("/etc/passwd")),
            ("SELECT * FROM main.events", table("main.events")),
            ("SELECT * FROM events UNION TABLE secrets", table("secrets")),
            ("SELECT * FROM (WITH t AS (SELECT 1) SELECT * FROM t) AS a JOIN t", table("t")),
        ] {
            assert_eq!(refused(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_query_is_named() {
        for (text, word) in [
            ("CREATE TABLE t AS SELECT * FROM events", "CREATE"),
            ("DROP TABLE events", "DROP"),
            ("TRUNCATE TABLE events", "TRUNCATE"),
            ("DELETE FROM events WHERE x = 1", "DELETE"),
            ("COPY events TO '/tmp/x'", "COPY"),
            ("EXPLAIN DROP TABLE events", "EXPLAIN"),
            ("WITH a AS (SELECT 1) INSERT INTO events SELECT * FROM a", "INSERT"),
        ] {
            assert_eq!(refused(text), Some(("statement", word.to_owned())), "{text}");
        }
        assert_eq!(refused("SELECT 1; SELECT 2"), Some(("statements", "2".to_owned())));
        assert_eq!(refused(""), Some(("statements", "0".to_owned())));
        assert_eq!(refused("SELEC 1").map(|(kind, _)| kind), Some("syntax"));
    }

    #[test]
    fn no_text_takes_the_stack() {
        let sum = format!("SELECT {} FROM events", vec!["x"; 100_000].join(" + "));
        assert_eq!(refused(&sum), Some(("too-deep", DEPTH.to_string())));
        let union = |count| vec!["SELECT x FROM events"; count].join(" UNION ALL ");
        assert_eq!(refused(&union(100)), None);
        assert_eq!(refused(&union(20_000)), Some(("too-deep", DEPTH.to_string())));
        assert_eq!(refused(&format!("SELECT {}x", "(".repeat(100_000))).map(|(kind, _)| kind), Some("syntax"));
    }
}
