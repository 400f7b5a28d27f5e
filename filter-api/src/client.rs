//! Asking a controller.

use std::{
    io,
    marker::PhantomData,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response,
    body::{Frame, Incoming},
    client::conn::http1,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    net::UnixStream,
    time::{sleep, timeout},
};

use crate::{
    error::{ErrorBody, Failure},
    events::EventLine,
    questions::{Explained, Judgement, Question},
    reload::{Cancelled, ReloadOptions, Reloaded},
    routes::{self, Described},
    rules::{Added, NameList, Removed, RuleSource},
    status::{Stats, Status},
};

/// How long a controller may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// How long it may take for what it is to do, after it has answered that it is there: it reads
/// lists, and waits for others who change rules.
const WORK: Duration = Duration::from_mins(10);

/// What is waited where as many clients wait for the controller as the kernel lets wait.
const PAUSE: Duration = Duration::from_millis(50);

/// Asks the controller that answers on a socket.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    answer: Duration,
    work: Duration,
}

/// Why there is no answer, or not the one that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error(
        "no controller answers on `{}`: start one with `namegate run`, or name its socket with --socket",
        .0.display()
    )]
    NoController(PathBuf),
    /// The socket belongs to somebody else.
    #[error("you may not use `{}`: run this as the user who runs the controller (root)", .0.display())]
    Permission(PathBuf),
    /// The controller says no.
    #[error("{}", .0.message)]
    Refused(Failure),
    /// The controller is there, and does not answer.
    #[error(
        "the controller on `{}` gave no answer within {} s: it may be stopped or busy, and may still do what it was told; \
         see whether its process runs, or wait longer with --timeout",
        .socket.display(), .limit.as_secs_f32()
    )]
    TimedOut {
        /// The socket.
        socket: PathBuf,
        /// How long it had.
        limit: Duration,
    },
    /// The answer did not come, or not whole.
    #[error("the controller on `{}` broke off: {error}", .socket.display())]
    Broken {
        /// The socket.
        socket: PathBuf,
        /// What happened.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Client {
    /// A client of the controller on this socket, which may take 10 s for an answer, and ten minutes
    /// for a change.
    pub fn new(socket: &Path) -> Self {
        Self {
            socket: socket.into(),
            answer: ANSWER,
            work: WORK,
        }
    }

    /// The same where the controller may take so long for anything.
    #[must_use]
    pub fn with_timeout(self, limit: Duration) -> Self {
        Self {
            answer: limit,
            work: limit,
            ..self
        }
    }

    /// How the controller is.
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.get(routes::STATUS, &[]).await
    }

    /// What was counted, with so many of the rules that blocked most; all of them without a number.
    pub async fn stats(&self, top: Option<usize>) -> Result<Stats, ClientError> {
        let top = top.map(|top| top.to_string());
        let query: Vec<_> = top.as_deref().map(|top| ("top", top)).into_iter().collect();
        self.get(routes::STATS, &query).await
    }

    /// The rules that have this text in them; all of them without one.
    pub async fn rules(&self, contains: Option<&str>) -> Result<Lines<RuleSource>, ClientError> {
        let query: Vec<_> = contains
            .map(|text| ("contains", text))
            .into_iter()
            .collect();
        self.lines(routes::RULES, &query).await
    }

    /// Adds names by hand.
    pub async fn add(&self, names: &NameList) -> Result<Added, ClientError> {
        self.is_there().await?;
        self.send(Method::POST, routes::RULES, names).await
    }

    /// Removes names, listed or added by hand. More than fit into one request go in several, each
    /// of which is done as a whole.
    pub async fn remove(&self, names: &[String]) -> Result<Removed, ClientError> {
        let mut removed = Removed {
            results: Vec::new(),
        };
        self.is_there().await?;
        for names in names.chunk_by(fits_in_one_request()) {
            let query: Vec<_> = names.iter().map(|name| ("name", &**name)).collect();
            let target = target(routes::RULES, &query);
            let some: Removed = self.ask_without_body(Method::DELETE, &target).await?;
            removed.results.extend(some.results);
        }
        Ok(removed)
    }

    /// What a name would meet.
    pub async fn test(&self, question: &Question) -> Result<Judgement, ClientError> {
        self.ask(routes::TEST, question).await
    }

    /// Why a name is blocked or not.
    pub async fn explain(&self, question: &Question) -> Result<Explained, ClientError> {
        self.ask(routes::EXPLAIN, question).await
    }

    /// Has the policy read again, and waits until it is in force.
    pub async fn reload(&self, options: &ReloadOptions) -> Result<Reloaded, ClientError> {
        self.is_there().await?;
        self.send(Method::POST, routes::RELOAD, options).await
    }

    /// Ends a reload that still reads.
    pub async fn cancel_reload(&self) -> Result<Cancelled, ClientError> {
        self.ask_without_body(Method::DELETE, routes::RELOAD).await
    }

    /// Puts the policy before the last reload back in force.
    pub async fn roll_back(&self) -> Result<Reloaded, ClientError> {
        self.is_there().await?;
        self.ask_without_body(Method::POST, routes::ROLLBACK).await
    }

    /// What is blocked, from now on.
    pub async fn events(&self) -> Result<Lines<EventLine>, ClientError> {
        let events = self.lines(routes::EVENTS, &[]).await?;
        Ok(Lines {
            limit: None,
            ..events
        })
    }

    /// Finds out in a short time whether the controller answers at all, before it is given a long
    /// one.
    async fn is_there(&self) -> Result<(), ClientError> {
        let _: Described = self.get(routes::API, &[]).await?;
        Ok(())
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        question: &Question,
    ) -> Result<T, ClientError> {
        let pairs = question.pairs();
        let query: Vec<_> = pairs.iter().map(|(key, value)| (*key, &**value)).collect();
        self.get(path, &query).await
    }

    /// Asks for one object, whatever the path.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        self.ask_without_body(Method::GET, &target(path, query))
            .await
    }

    async fn ask_without_body<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
    ) -> Result<T, ClientError> {
        self.whole(method, target, Bytes::new()).await
    }

    /// Has one object for a request.
    async fn whole<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: Bytes,
    ) -> Result<T, ClientError> {
        let limit = if method == Method::GET {
            self.answer
        } else {
            self.work
        };
        self.within(limit, async {
            let answer = self.request(method, target, body).await?;
            self.object(answer).await
        })
        .await
    }

    async fn within<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let timed_out = || ClientError::TimedOut {
            socket: self.socket.clone(),
            limit,
        };
        timeout(limit, answer).await.map_err(|_| timed_out())?
    }

    /// Sends one object and has another for it, whatever the path.
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| self.broken(error))?;
        self.whole(method, path, body.into()).await
    }

    async fn lines<T>(&self, path: &str, query: &[(&str, &str)]) -> Result<Lines<T>, ClientError> {
        let target = target(path, query);
        let request = self.request(Method::GET, &target, Bytes::new());
        let answer = self.within(self.answer, request).await?;
        Ok(Lines {
            limit: Some(self.answer),
            client: self.clone(),
            body: answer.into_body(),
            buffer: Vec::new(),
            start: 0,
            object: PhantomData,
        })
    }

    async fn request(
        &self,
        method: Method,
        target: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, ClientError> {
        let stream = self.connect().await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.broken(error))?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(HOST, "namegate")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| self.broken(error))?;
        let answer = sender
            .send_request(request)
            .await
            .map_err(|error| self.broken(error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let ErrorBody { error } = self.object(answer).await?;
        Err(ClientError::Refused(error))
    }

    async fn connect(&self) -> Result<UnixStream, ClientError> {
        loop {
            match UnixStream::connect(&self.socket).await {
                Ok(stream) => return Ok(stream),
                // The queue of the socket is full.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(PAUSE).await,
                Err(error) => return Err(self.refused(error)),
            }
        }
    }

    async fn object<T: DeserializeOwned>(
        &self,
        answer: Response<Incoming>,
    ) -> Result<T, ClientError> {
        let body = answer
            .into_body()
            .collect()
            .await
            .map_err(|error| self.broken(error))?;
        serde_json::from_slice(&body.to_bytes()).map_err(|error| self.broken(error))
    }

    fn refused(&self, error: io::Error) -> ClientError {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                ClientError::NoController(self.socket.clone())
            }
            io::ErrorKind::PermissionDenied => ClientError::Permission(self.socket.clone()),
            _ => self.broken(error),
        }
    }

    fn broken(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ClientError {
        ClientError::Broken {
            socket: self.socket.clone(),
            error: error.into(),
        }
    }
}

/// Objects, one a line, as they come.
pub struct Lines<T> {
    client: Client,
    /// How long the next of them may take; `None` for ever.
    limit: Option<Duration>,
    body: Incoming,
    buffer: Vec<u8>,
    /// Where in the buffer the next line starts.
    start: usize,
    object: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Lines<T> {
    /// The next object; `None` when the controller has no more.
    pub async fn next(&mut self) -> Result<Option<T>, ClientError> {
        loop {
            let unread = self.buffer.get(self.start..).unwrap_or_default();
            if let Some(end) = memchr::memchr(b'\n', unread) {
                let line = serde_json::from_slice(&unread[..end]);
                self.start += end + 1;
                return line.map(Some).map_err(|error| self.client.broken(error));
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            let Some(frame) = self.frame().await? else {
                return Ok(None);
            };
            let frame = frame.map_err(|error| self.client.broken(error))?;
            self.buffer
                .extend_from_slice(frame.data_ref().map_or(&[], |bytes| bytes));
        }
    }
}

impl<T> Lines<T> {
    async fn frame(&mut self) -> Result<Option<Result<Frame<Bytes>, hyper::Error>>, ClientError> {
        let frame = self.body.frame();
        match self.limit {
            Some(limit) => self.client.within(limit, async { Ok(frame.await) }).await,
            None => Ok(frame.await),
        }
    }
}

/// The path with the query behind it.
fn target(path: &str, query: &[(&str, &str)]) -> String {
    if query.is_empty() {
        return path.into();
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    format!("{path}?{query}")
}

/// Bytes of names that go into one request: half of what the server takes for its first line.
const MOST_IN_QUERY: usize = 30_000;

/// True while names fit into one request with those before them, each percent-encoded at worst.
fn fits_in_one_request() -> impl FnMut(&String, &String) -> bool {
    let mut bytes = 0;
    move |before, next| {
        bytes += "name=&".len() + 3 * before.len();
        let fits = bytes + "name=&".len() + 3 * next.len() <= MOST_IN_QUERY;
        bytes *= usize::from(fits);
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_over_requests_in_their_order_and_none_is_lost() {
        let names: Vec<String> = (0..20_000).map(|i| format!("host-{i}.example")).collect();
        let requests: Vec<_> = names.chunk_by(fits_in_one_request()).collect();
        assert_eq!(requests.concat(), names);
        assert!(requests.len() < 50, "{}", requests.len());
        for names in requests {
            let query: Vec<_> = names.iter().map(|name| ("name", &**name)).collect();
            assert!(target(routes::RULES, &query).len() <= MOST_IN_QUERY + routes::RULES.len());
        }
    }
}
