//! What each step of a scan costs, in bytes of inflated text per second, so that the sum explains the whole:
//!
//! ```text
//! scan/every column  =  inflate/libdeflate  +  index/<best variant>  +  build/every column  +  files, arenas,
//! hand-over build              =  framing, walk/every column, and arrays
//! ```
//!
//! `cargo bench -p ctfast-core --features fuzzing --bench steps [-- FILTER]`

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use arrow_schema::Schema;
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use ctfast_core::filter::{Field, Predicate, Pushed, Test};
use ctfast_core::fuzzing::{Inflate, Text, all_columns, rules_out, streamed, variants};
use ctfast_core::scan::{Query, Run, Selection, Sources};
use ctfast_core::source::Choice;
use ctfast_core::{Limits, Live, Next, Plan, Scan, schema};
use flate2::Compression;
use flate2::read::GzEncoder;
use tempfile::TempDir;

/// Number of files in the corpus, and the least bytes of text of each.
const FILES: usize = 10;
const BYTES: usize = 2 << 20;

/// Log files as text and as gzip.
struct Corpus {
    texts: Vec<String>,
    files: Vec<Vec<u8>>,
    records: u64,
}

impl Corpus {
    fn new() -> Self {
        let mut dice = Dice(0x2545_f491_4f6c_dd1d);
        let texts: Vec<_> = (0..FILES).map(|_| log(&mut dice)).collect();
        let files = texts.iter().map(|text| {
            let mut file = Vec::new();
            GzEncoder::new(text.as_bytes(), Compression::new(6)).read_to_end(&mut file).expect("gzip");
            file
        });
        let records = texts.iter().map(|text| text.matches("{\"eventVersion\"").count() as u64).sum();
        Self { files: files.collect(), texts, records }
    }

    fn bytes(&self) -> u64 {
        self.texts.iter().map(|text| text.len() as u64).sum()
    }

    /// The corpus as an archive on disk.
    fn archive(&self) -> TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (number, file) in self.files.iter().enumerate() {
            fs::write(root.path().join(format!("{number}.json.gz")), file).expect("a file");
        }
        root
    }

    fn indexed(&self) -> Vec<Text> {
        self.texts.iter().map(|text| Text::indexed(text.as_bytes())).collect()
    }
}

/// A small random number generator with a fixed seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    /// A UUID, of which CloudTrail records have many.
    fn id(&mut self) -> String {
        let [one, two] = [self.below(1 << 48), self.below(1 << 48)];
        format!("{:08x}-{:04x}-4{:03x}-a{:03x}-{two:012x}", one >> 16, one & 0xffff, one & 0xfff, two & 0xfff)
    }
}

/// A log file of events of the shapes that fill most archives: reads of roles and users, of objects, sign-ins, calls of
/// services.
fn log(dice: &mut Dice) -> String {
    let mut text = String::from("{\"Records\":[");
    while text.len() < BYTES {
        if !text.ends_with('[') {
            text.push(',');
        }
        let account = 111_111_111_111 + dice.below(8);
        let (region, user) = (dice.one(&["us-east-1", "eu-west-1", "ap-southeast-2"]), dice.below(40));
        let _ = write!(text, r#"{{"eventVersion":"1.{}","userIdentity":{{"#, 8 + dice.below(3));
        let _ = match dice.below(4) {
            0 => {
                write!(
                    text,
                    r#""type":"AWSService","invokedBy":"{}""#,
                    dice.one(&["ec2.amazonaws.com", "config.amazonaws.com"])
                )
            }
            1 => write!(
                text,
                concat!(
                    r#""type":"IAMUser","principalId":"AIDA{user:016}","#,
                    r#""arn":"arn:aws:iam::{account}:user/user-{user}","accountId":"{account}","#,
                    r#""accessKeyId":"AKIA{:016}","userName":"user-{user}""#
                ),
                dice.below(1 << 40),
                user = user,
                account = account
            ),
            _ => write!(
                text,
                concat!(
                    r#""type":"AssumedRole","principalId":"AROA{user:016}:session-{0}","#,
                    r#""arn":"arn:aws:sts::{account}:assumed-role/role-{user}/session-{0}","#,
                    r#""accountId":"{account}","accessKeyId":"ASIA{1:016}","#,
                    r#""sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{user:016}","#,
                    r#""arn":"arn:aws:iam::{account}:role/role-{user}","accountId":"{account}","#,
                    r#""userName":"role-{user}"}},"webIdFederationData":{{}},"#,
                    r#""attributes":{{"creationDate":"2023-07-10T11:{2:02}:00Z","#,
                    r#""mfaAuthenticated":"false"}}}}"#
                ),
                dice.below(1000),
                dice.below(1 << 40),
                dice.below(60),
                user = user,
                account = account
            ),
        };
        let (source, name, parameters) = match dice.below(5) {
            0 => (
                "s3.amazonaws.com",
                dice.one(&["GetObject", "PutObject", "ListObjects"]),
                format!(
                    concat!(
                        r#"{{"bucketName":"bucket-{}","Host":"bucket.s3.{region}.amazonaws.com","#,
                        r#""key":"logs/2023/07/10/{}.gz"}}"#
                    ),
                    dice.below(20),
                    dice.id(),
                    region = region
                ),
            ),
            1 => (
                "ec2.amazonaws.com",
                "DescribeInstances",
                format!(
                    concat!(
                        r#"{{"instancesSet":{{"items":[{{"instanceId":"i-{:017x}"}},"#,
                        r#"{{"instanceId":"i-{:017x}"}}]}},"filterSet":{{}}}}"#
                    ),
                    dice.below(1 << 60),
                    dice.below(1 << 60)
                ),
            ),
            2 => (
                "sts.amazonaws.com",
                "AssumeRole",
                format!(
                    concat!(
                        r#"{{"roleArn":"arn:aws:iam::{account}:role/role-{user}","#,
                        r#""roleSessionName":"session-{}","durationSeconds":3600}}"#
                    ),
                    dice.below(1000),
                    account = account,
                    user = user
                ),
            ),
            3 => (
                "kms.amazonaws.com",
                "Decrypt",
                format!(
                    concat!(
                        r#"{{"encryptionContext":{{"aws:s3:arn":"arn:aws:s3:::bucket-{}"}},"#,
                        r#""encryptionAlgorithm":"SYMMETRIC_DEFAULT"}}"#
                    ),
                    dice.below(20)
                ),
            ),
            _ => ("iam.amazonaws.com", dice.one(&["GetUser", "ListRoles", "GetPolicyVersion"]), "null".to_owned()),
        };
        let (minute, second) = (dice.below(60), dice.below(60));
        let agent = dice.one(&[
            "aws-cli/2.13.1 Python/3.11.4 Linux/5.10 exe/x86_64.amzn.2 prompt/off command/s3.cp",
            "Boto3/1.28.3 md/Botocore#1.31.3 ua/2.0 os/linux#5.10",
            "console.amazonaws.com",
        ]);
        let _ = write!(
            text,
            concat!(
                r#"}},"eventTime":"2023-07-10T11:{minute:02}:{second:02}Z","eventSource":"{source}","#,
                r#""eventName":"{name}","awsRegion":"{region}","sourceIPAddress":"10.{}.{}.{}","#,
                r#""userAgent":"{agent}","#
            ),
            dice.below(256),
            dice.below(256),
            dice.below(256),
            minute = minute,
            second = second,
            source = source,
            name = name,
            region = region,
            agent = agent
        );
        if dice.below(12) == 0 {
            text += concat!(
                r#""errorCode":"AccessDenied","#,
                r#""errorMessage":"User: arn:aws:iam::111111111111:user\/a is not authorized to perform: "#,
                r#"\"s3:GetObject\" on resource","#
            );
        }
        let _ = write!(
            text,
            concat!(
                r#""requestParameters":{parameters},"responseElements":null,"requestID":"{}","#,
                r#""eventID":"{}","readOnly":{},"resources":[{{"accountId":"{account}","#,
                r#""type":"AWS::S3::Object","ARN":"arn:aws:s3:::bucket-{}/key"}}],"#,
                r#""eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{account}","#,
                r#""eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","#,
                r#""cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{source}"}}}}"#
            ),
            dice.id(),
            dice.id(),
            dice.below(2) == 0,
            dice.below(20)
        );
    }
    text += "]}";
    text
}

fn columns(names: &[&str]) -> Arc<Schema> {
    Arc::new(schema::project(names).expect("known columns"))
}

fn name_is(name: &str) -> Predicate {
    let test = Test::In(vec![name.to_owned()]);
    Predicate::Column(Field::new("eventName", &test).expect("a column"), test)
}

fn group<'a>(criterion: &'a mut Criterion, name: &str, corpus: &Corpus) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(corpus.bytes())).sample_size(20).measurement_time(Duration::from_secs(3));
    group.warm_up_time(Duration::from_secs(1));
    group
}

fn inflate(criterion: &mut Criterion, corpus: &Corpus) {
    let mut group = group(criterion, "inflate", corpus);
    let mut inflate = Inflate::new(2 * BYTES);
    group.bench_function("libdeflate", |bencher| {
        bencher
            .iter(|| corpus.files.iter().map(|file| inflate.whole(file).expect("a right file").len()).sum::<usize>());
    });
    group.bench_function("stream", |bencher| {
        bencher.iter(|| {
            corpus.files.iter().map(|file| streamed(file, 2 * BYTES, Limits::default()).0.len()).sum::<usize>()
        });
    });
}

fn index(criterion: &mut Criterion, corpus: &Corpus) {
    let mut group = group(criterion, "index", corpus);
    for (name, variant) in variants() {
        let (mut tokens, mut wide) = (Vec::new(), Vec::new());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for text in &corpus.texts {
                    tokens.clear();
                    wide.clear();
                    variant(text.as_bytes(), &mut tokens, &mut wide);
                    black_box(&tokens);
                }
            });
        });
    }
    let mut texts = corpus.indexed();
    group.bench_function("chosen, with UTF-8", |bencher| bencher.iter(|| texts.iter_mut().all(Text::index)));
}

fn search(criterion: &mut Criterion, corpus: &Corpus) {
    let mut group = group(criterion, "search", corpus);
    let predicate = name_is("DeleteBucket");
    group.bench_function("a constant that is not there", |bencher| {
        bencher.iter(|| corpus.texts.iter().all(|text| rules_out(&predicate, text.as_bytes())));
    });
}

fn walk(criterion: &mut Criterion, corpus: &Corpus) {
    let mut group = group(criterion, "walk", corpus);
    let texts = corpus.indexed();
    let decrypt = name_is("Decrypt");
    for (name, columns, predicate) in [
        ("every column", all_columns(), None),
        ("one column", columns(&["eventName"]), None),
        ("one column of some records", columns(&["eventID"]), Some(&decrypt)),
    ] {
        let walk = || texts.iter().map(|text| text.walk(&columns, predicate).expect("records")).sum::<u64>();
        assert!(if predicate.is_none() { walk() == corpus.records } else { (1..corpus.records).contains(&walk()) });
        group.bench_function(name, |bencher| bencher.iter(walk));
    }
}

fn build(criterion: &mut Criterion, corpus: &Corpus) {
    let mut group = group(criterion, "build", corpus);
    let without_raw: Vec<_> = schema::names().filter(|name| *name != "raw").collect();
    for (name, columns) in [
        ("every column", all_columns()),
        ("every column but raw", columns(&without_raw)),
        ("one column", columns(&["eventName"])),
    ] {
        group.bench_function(name, |bencher| {
            let build = |texts: Vec<Text>| texts.into_iter().map(|text| text.build(&columns)).collect::<Vec<_>>();
            bencher.iter_batched(|| corpus.indexed(), build, BatchSize::PerIteration);
        });
    }
}

fn scan(criterion: &mut Criterion, corpus: &Corpus) {
    let mut group = group(criterion, "scan", corpus);
    let archive = corpus.archive();
    let deletes = Pushed::column("eventName", Test::In(vec!["DeleteBucket".to_owned()])).expect("a column");
    for (name, columns, predicate) in [
        ("every column", schema::names().collect(), None),
        ("one column", vec!["eventName"], None),
        ("a constant that is not there", vec!["eventID"], Some(deletes)),
    ] {
        let columns = columns.into_iter().map(str::to_owned).collect();
        let mut query = Query::new(columns).expect("known columns");
        query.predicate = predicate.clone();
        let sources = Sources::Below(vec![archive.path().to_owned()]);
        let plan = Plan {
            selection: Selection { sources, choice: Choice::default() },
            query,
            run: Run { threads: 1, limits: Limits::default(), fail: true, recut: None },
        };
        let read = || {
            let mut scan = Scan::start(&plan, Live::default()).expect("threads");
            let mut rows = 0;
            loop {
                match scan.next(Duration::from_secs(1)).expect("a good archive") {
                    Next::Batch(batch) => rows += batch.num_rows() as u64,
                    Next::Waiting => {}
                    Next::End => break rows,
                }
            }
        };
        assert_eq!(read(), if predicate.is_none() { corpus.records } else { 0 });
        group.bench_function(name, |bencher| bencher.iter(read));
    }
}

fn steps(criterion: &mut Criterion) {
    let corpus = Corpus::new();
    for step in [inflate, index, search, walk, build, scan] {
        step(criterion, &corpus);
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
