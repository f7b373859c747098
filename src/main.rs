//! The command line: parses options, then runs the server or a subcommand.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use signalpost::{
    api,
    app::App,
    cli::{healthcheck, key},
    config::{self, Command, Config},
    telemetry, transport,
};

fn main() -> ExitCode {
    let line: Vec<_> = std::env::args_os().collect();
    let args = config::parse(&line, |name| std::env::var_os(name)).unwrap_or_else(|error| error.exit());
    let cli = args.cli.clone();
    let outcome = match cli.command {
        None => serve(cli.config),
        Some(Command::Serve(config)) => serve(*config),
        Some(Command::Openapi) => document().and_then(|document| print(&document)),
        Some(Command::Key) => key::generate().and_then(|key| print(&key)),
        Some(Command::Healthcheck { url }) => {
            url.map_or_else(|| healthcheck::url_of(&cli.config), Ok).and_then(|url| healthcheck::run(&url))
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("signalpost: {}", args.name_variables(&error));
            ExitCode::FAILURE
        }
    }
}

fn serve(config: Config) -> Result<(), String> {
    telemetry::start_logs(&config.log, config.log_format, &transport::LOGS_ABOUT_CLIENTS);
    actix_web::rt::System::new().block_on(async {
        let app = App::build(config)?;
        app.announce();
        app.run_until_stopped().await.map_err(|error| error.to_string())
    })
}

fn document() -> Result<String, String> {
    api::schema::openapi::document().to_pretty_json().map_err(|error| error.to_string())
}

fn print(text: &str) -> Result<(), String> {
    match writeln!(io::stdout(), "{text}") {
        // The reader closed the pipe, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| error.to_string()),
    }
}
