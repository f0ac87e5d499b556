import { join } from 'node:path'
import * as ts from 'typescript'

const ROOT = join(__dirname, '..', '..')

/**
 * The errors of the compiler in modules of this code, by their names, as if they were files of this project. Those that are
 * named like files can import each other.
 */
export function typeErrorsIn(modules: Readonly<Record<string, string>>): readonly string[] {
  const sources = new Map(
    Object.entries(modules).map(([name, code], index) => {
      const file = /^[\w-]+\.mts$/.test(name) ? name : `example-${index}.mts`
      return [join(ROOT, 'test', file), { name, code }]
    }),
  )
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path))
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT)
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => sources.has(path) || fileExists.call(host, path)
  host.readFile = (path) => sources.get(path)?.code ?? readFile.call(host, path)
  host.getSourceFile = (path, language, ...rest) => {
    const source = sources.get(path)
    if (!source) return getSourceFile.call(host, path, language, ...rest)
    const file = ts.createSourceFile(path, source.code, language)
    file.impliedNodeFormat = ts.ModuleKind.ESNext
    return file
  }
  const ambient = join(ROOT, 'src', 'wire', 'msgpackr.d.ts')
  const program = ts.createProgram([ambient, ...sources.keys()], { ...options, noEmit: true }, host)
  const files = program.getSourceFiles().filter(({ fileName }) => sources.has(fileName))
  const errors = files.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ])
  return errors.map(({ file, messageText }) => {
    const name = sources.get(file?.fileName ?? '')?.name ?? file?.fileName
    return `${name}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}
