using Wherry.Cli.CommandLine;

return Entry.Run(args);
