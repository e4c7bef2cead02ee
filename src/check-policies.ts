// Where the workflow of the release before calls it; goes with the next one: use `rectify check-policies`.
process.argv.splice(2, 0, "check-policies");
await import("./cli.ts");
