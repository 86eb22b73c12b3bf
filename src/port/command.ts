/** What a person types: `ssl-port help`, `--version`, `etf decode`, `etf encode`, and `serve` with its help. */

import { Command, Option } from 'commander';
import { decodeInput, type EtfInput, encodeInput } from './etf_command.ts';
import { profiles, type ServeOptions } from './serve_options.ts';
import { version } from './version.ts';

/** Reads the command line and does what it says. */
export async function runCommand(args: readonly string[]): Promise<void> {
  await program().parseAsync(args, { from: 'user' });
}

function program(): Command {
  const command = new Command('ssl-port')
    .description(
      "The TLS engine behind Erlang's ssl_port application, and tools around it.\n\n" +
        'The BEAM starts "ssl-port serve" by itself: as a user of the application you need none of this.',
    )
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showHelpAfterError('(ssl-port help tells what there is)')
    .addHelpText('after', examples);

  command
    .command('serve')
    .description('run the port program: frames on standard input and output (docs/protocol.md)')
    .addOption(
      new Option('--profile <name>', 'defaults and shapes of calls that name no profile').choices(
        profiles,
      ),
    )
    .action(async (options: ServeOptions) => {
      await import('./stdio_guard.ts');
      const { serve } = await import('./serve.ts');
      serve(options);
    });

  const etf = command
    .command('etf')
    .description('turn terms into bytes and back (External Term Format)');
  etf
    .command('decode')
    .description('read encoded terms from standard input, print them as Erlang text')
    .option('--hex', 'the input is hexadecimal text')
    .action((options: EtfInput) => decodeInput(options));
  etf
    .command('encode')
    .description(
      'read Erlang terms, each ended by a full stop, from standard input; write their bytes',
    )
    .option('--hex', 'write hexadecimal text, one term a line')
    .action((options: EtfInput) => encodeInput(options));
  return command;
}

const examples = `
Examples:
  echo '{ok, [1, 2.5, <<"bin">>]}.' | ssl-port etf encode --hex
  echo 83680277026f6b6101 | ssl-port etf decode --hex
  erl -noshell -eval 'file:write(standard_io, term_to_binary(#{a => 1})), halt().' | ssl-port etf decode`;
