//! Where a policy is read from: a configuration, and lists that are named beside it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use filter_core::HashKey;
use filter_lists::{
    Bounds, Files, Format, Limits, ListError, ListFile, ListOptions, ListReport, TooManyNames,
    UnknownFormat,
};

use super::{
    Builder, CompileError, CompiledPolicy,
    cache::{Cache, Ingredient, MadeFrom, Unfit, Unkept, Unplaced},
    staging::Staging,
};
use crate::config::{Config, ConfigError, Entry, List, Rules};

/// The audience of lists that are named on the command line: for all groups that are not exempt, at
/// all times.
pub const FOR_ALL: u16 = 0;

/// Where a policy is read from, again and again.
#[derive(Clone, Debug, Default)]
pub struct PolicySource {
    /// The configuration.
    pub config: Option<PathBuf>,
    /// Lists in addition to those of the configuration.
    pub lists: Vec<(ListFile, ListOptions)>,
    /// The folder where the compiled policy is kept, whatever the configuration says of that.
    pub cache: Option<PathBuf>,
    /// What reading may take.
    pub limits: Limits,
}

/// How much of a policy is kept before it is known how much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// All.
    Whole,
    /// So many rules. What goes beyond is counted first, and read once more if it is in bounds.
    Rules(u64),
}

impl Budget {
    /// For a policy that takes the place of one of so many rules.
    pub fn in_place_of(rules: u64) -> Self {
        /// A list of a usual size may be new.
        const LEAST: u64 = 1 << 17;

        Self::Rules(rules.saturating_mul(2).max(LEAST))
    }

    const fn rules(self) -> u64 {
        match self {
            Self::Whole => u64::MAX,
            Self::Rules(rules) => rules,
        }
    }
}

/// A policy as it was read.
pub struct Policy {
    /// The rules.
    pub compiled: CompiledPolicy,
    /// Groups and schedules.
    pub config: Config,
    /// What became of the lines of each list.
    pub reports: Vec<ListReport>,
    /// When reading began.
    pub read_at: SystemTime,
    /// What became of the cache, in sentences.
    pub notes: Vec<String>,
    /// The same policy on its way into the cache, with the words for where that is.
    unplaced: Option<(String, Unplaced)>,
}

/// Under which key of the hash a policy is read.
#[derive(Clone, Copy)]
pub enum HashKeyPolicy {
    /// This one, which nothing depends on yet: one that has its names under another one will do.
    Drawn(HashKey),
    /// This one and no other, since a filter has it.
    ActivePolicy(HashKey),
    /// This one, for a policy of which nothing is kept.
    Apart(HashKey),
}

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It names a format that there is not.
    #[error("the configuration `{}`, line {line}: {error}", .file.display())]
    Format {
        /// The configuration.
        file: PathBuf,
        /// The line.
        line: u32,
        /// Which formats there are.
        error: UnknownFormat,
    },
    /// A list cannot be used.
    #[error(transparent)]
    List(#[from] ListError),
    /// The lists do not go together.
    #[error(transparent)]
    Book(#[from] CompileError),
}

/// A list to read.
struct ListSource<'c> {
    file: ListFile,
    options: ListOptions,
    audience: u16,
    trial: bool,
    label: Option<&'c str>,
}

impl ListSource<'_> {
    /// One that is named on the command line: for all groups that are not exempt, at all times.
    fn for_all(file: ListFile, options: ListOptions) -> Self {
        Self {
            file,
            options,
            audience: FOR_ALL,
            trial: false,
            label: None,
        }
    }
}

impl Policy {
    /// A policy of these rules, for everybody.
    pub fn of_policy(compiled: CompiledPolicy) -> Self {
        Self::new(compiled, Config::default(), Vec::new(), SystemTime::now())
    }

    fn new(
        compiled: CompiledPolicy,
        config: Config,
        reports: Vec<ListReport>,
        read_at: SystemTime,
    ) -> Self {
        Self {
            compiled,
            config,
            reports,
            read_at,
            notes: Vec::new(),
            unplaced: None,
        }
    }

    /// Puts it into the cache, if it is to be kept: what is in there is to be what was in force
    /// last. What is to be said if that fails.
    pub fn keep(&mut self) -> Option<String> {
        let (shown, unplaced) = self.unplaced.take()?;
        unplaced.place().err().map(|error| unkept(&shown, &error))
    }
}

impl PolicySource {
    /// Reads the policy. `progress` is told how many bytes of the files were taken by each step.
    ///
    /// # Errors
    /// If a part of it cannot be used: then there is none.
    pub fn read(
        &self,
        hash_key: HashKey,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Policy, PolicyError> {
        self.read_within(&self.bounds(), Budget::Whole, hash_key, progress)
    }

    fn read_within(
        &self,
        bounds: &Bounds,
        budget: Budget,
        hash_key: HashKey,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Policy, PolicyError> {
        let read_at = SystemTime::now();
        let config = self.config(bounds)?;
        let (compiled, reports) = self.compile(&config, &hash_key, (bounds, budget), progress)?;
        Ok(Policy::new(compiled, config, reports, read_at))
    }

    /// Bounds of reading that begins now, of whatever files.
    fn bounds(&self) -> Bounds {
        Bounds::new(self.limits, Files::Any, Arc::default())
    }

    /// The policy of the cache, if there is one and nothing that it was made of has changed; else
    /// it is read, and is there after [`Policy::keep`]. Whatever is wrong with the cache is told in
    /// the notes and stops nothing.
    ///
    /// # Errors
    /// As [`PolicySource::read`].
    pub fn read_or_open(
        &self,
        with: HashKeyPolicy,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Policy, PolicyError> {
        self.read_or_open_within(&self.bounds(), Budget::Whole, with, progress)
    }

    /// The same within these bounds.
    ///
    /// # Errors
    /// As [`PolicySource::read`], and where the bounds are reached.
    pub fn read_or_open_within(
        &self,
        bounds: &Bounds,
        budget: Budget,
        with: HashKeyPolicy,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Policy, PolicyError> {
        let (HashKeyPolicy::Drawn(hash_key)
        | HashKeyPolicy::ActivePolicy(hash_key)
        | HashKeyPolicy::Apart(hash_key)) = with;
        let read_at = SystemTime::now();
        let config = self.config(bounds)?;
        let folder = self
            .cache
            .as_ref()
            .or(config.cache.as_ref())
            .filter(|_| !matches!(with, HashKeyPolicy::Apart(_)));
        let Some(cache) = folder.map(|folder| Cache::new(folder)) else {
            return self.read_within(bounds, budget, hash_key, progress);
        };
        let made_from = self.made_from(&config)?;
        let shown = cache.path().display().to_string();
        let mut notes = Vec::new();
        if let Some(made_from) = &made_from {
            let in_force = matches!(with, HashKeyPolicy::ActivePolicy(_)).then_some(&hash_key);
            match cache.open(made_from, in_force) {
                Ok((compiled, reports)) => {
                    notes.push(format!(
                        "the policy is from the cache `{shown}`: nothing that it was made of has changed"
                    ));
                    return Ok(Policy {
                        notes,
                        ..Policy::new(compiled, config, reports, read_at)
                    });
                }
                Err(Unfit::Missing) => {}
                // They are read again since they have changed.
                Err(Unfit::Stale(_)) if in_force.is_some() => {}
                Err(error) => notes.push(format!("the cache `{shown}` is not used: {error}")),
            }
        }
        let (mut compiled, reports) =
            self.compile(&config, &hash_key, (bounds, budget), progress)?;
        let kept = match made_from {
            None => Err(Unkept::NoFile),
            same if self.made_from(&config)? != same => Err(Unkept::Changed),
            Some(made_from) => cache.write(made_from, &mut compiled, &reports),
        };
        let unplaced = kept
            .map_err(|error| notes.push(unkept(&shown, &error)))
            .ok();
        let unplaced = unplaced.map(|unplaced| (shown, unplaced));
        Ok(Policy {
            notes,
            unplaced,
            ..Policy::new(compiled, config, reports, read_at)
        })
    }

    fn config(&self, bounds: &Bounds) -> Result<Config, PolicyError> {
        let is_file =
            |path: &PathBuf| fs::metadata(path).is_ok_and(|it| it.is_file() || it.is_dir());
        if bounds.files() == Files::Regular
            && let Some(path) = self
                .config
                .as_ref()
                .filter(|path| path.exists() && !is_file(path))
        {
            return Err(ConfigError::NoFile(path.clone()).into());
        }
        Ok(self
            .config
            .as_deref()
            .map_or_else(|| Ok(Config::default()), Config::read)?)
    }

    fn compile(
        &self,
        config: &Config,
        hash_key: &HashKey,
        (bounds, budget): (&Bounds, Budget),
        progress: &mut dyn FnMut(u64),
    ) -> Result<(CompiledPolicy, Vec<ListReport>), PolicyError> {
        if let Some(compiled) =
            self.compile_within_budget(config, hash_key, (bounds, budget), progress)?
        {
            return Ok(compiled);
        }
        bounds.again();
        let compiled =
            self.compile_within_budget(config, hash_key, (bounds, Budget::Whole), progress)?;
        // Without a budget, nothing is beyond it.
        compiled.ok_or_else(|| CompileError::from(TooManyNames).into())
    }

    /// `None` if there are more rules than the budget has.
    fn compile_within_budget(
        &self,
        config: &Config,
        hash_key: &HashKey,
        (bounds, budget): (&Bounds, Budget),
        progress: &mut dyn FnMut(u64),
    ) -> Result<Option<(CompiledPolicy, Vec<ListReport>)>, PolicyError> {
        let staging = Staging::new(bounds, budget.rules());
        let mut builder = Builder::new(*hash_key);
        let mut reports = Vec::new();
        for ListSource {
            file,
            options,
            audience,
            trial,
            label,
        } in self.all_lists(config)?
        {
            let name = filter_lists::packed::display_name(&file.path);
            let mut sink = builder.list(&name, audience);
            if trial {
                sink = sink.on_trial();
            }
            if options.allow {
                sink = sink.allowing();
            }
            if let Some(label) = label {
                sink = sink.labelled(label);
            }
            let mut sink = staging.list(sink);
            reports.push(filter_lists::load_within(
                bounds, &file.path, &options, &mut sink, progress,
            )?);
        }
        if staging.is_beyond_budget() {
            return Ok(None);
        }
        for rules in &config.rules {
            reports.extend(self.single_rules(rules, &mut builder)?);
        }
        let (compiled, repeated) = builder.finish_with_report()?;
        reports
            .iter_mut()
            .zip(repeated)
            .for_each(|(report, repeated)| report.count_repeated(repeated.rules));
        Ok(Some((compiled, reports)))
    }

    /// All that the policy is made of; `None` if some of it is no file.
    fn made_from(&self, config: &Config) -> Result<Option<MadeFrom>, PolicyError> {
        let lists = self.all_lists(config)?;
        let lists = lists.iter().map(
            |ListSource {
                 file,
                 options,
                 audience,
                 trial,
                 label,
             }| { Ingredient::list(&file.path, *options, *audience, *trial, *label) },
        );
        let file = self.config.as_deref().unwrap_or(Path::new(""));
        let rules = config
            .rules
            .iter()
            .map(|rules| Ingredient::rules(file, rules));
        let all: Option<Vec<_>> = lists.chain(rules).collect();
        Ok(all.and_then(MadeFrom::new))
    }

    /// Bytes of all files, as far as they can be told.
    pub fn bytes(&self) -> u64 {
        let config = self
            .config
            .as_deref()
            .and_then(|path| Config::read(path).ok())
            .unwrap_or_default();
        let files = self
            .lists
            .iter()
            .map(|(file, _)| &*file.path)
            .chain(config.lists.iter().map(|list| &*list.file));
        files
            .filter_map(|path| fs::metadata(path).ok())
            .map(|metadata| metadata.len())
            .sum()
    }

    fn all_lists<'c>(&self, config: &'c Config) -> Result<Vec<ListSource<'c>>, PolicyError> {
        let given = self.lists.iter().map(|(file, options)| {
            let options = ListOptions {
                format: file.format.or(options.format),
                ..*options
            };
            Ok(ListSource::for_all(file.clone(), options))
        });
        let configured = config.lists.iter().map(|list| {
            let List {
                file,
                format,
                allow,
                subtrees,
                trust,
                audience,
                trial,
                name,
                ..
            } = list;
            let format = format
                .as_ref()
                .map(|entry| self.format(entry))
                .transpose()?;
            let options = ListOptions {
                format,
                allow: *allow,
                widen: *subtrees,
                trust: *trust,
            };
            let file = ListFile {
                path: file.clone(),
                format,
            };
            Ok(ListSource {
                file,
                options,
                audience: *audience as u16,
                trial: *trial,
                label: name.as_deref(),
            })
        });
        given.chain(configured).collect()
    }

    fn format(&self, Entry { text, line }: &Entry) -> Result<Format, PolicyError> {
        let file = self.config.clone().unwrap_or_default();
        text.parse().map_err(|error| PolicyError::Format {
            file,
            line: *line,
            error,
        })
    }

    /// The rules that stand in the configuration itself.
    fn single_rules(
        &self,
        rules: &Rules,
        builder: &mut Builder,
    ) -> Result<Vec<ListReport>, PolicyError> {
        let file = self.config.as_deref().unwrap_or(Path::new(""));
        let mut reports = Vec::new();
        for (entries, allow) in [(&rules.block, false), (&rules.allow, true)] {
            if !entries.is_empty() {
                let lines = entries.iter().map(|Entry { text, line }| (&**text, *line));
                let sink = builder.list(&file.display().to_string(), rules.audience as u16);
                let sink = if rules.trial { sink.on_trial() } else { sink };
                let mut sink = if allow { sink.allowing() } else { sink };
                reports.push(filter_lists::single_rules(file, lines, allow, &mut sink)?);
            }
        }
        Ok(reports)
    }
}

/// What is said of a policy that is not in the cache afterwards.
fn unkept(shown: &str, error: &Unkept) -> String {
    format!("the policy is not kept in the cache `{shown}`: {error}")
}
