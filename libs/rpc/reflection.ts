import { toBinary } from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { type Server, status } from '@grpc/grpc-js'
import { descriptorFiles } from '../wire/descriptors.js'
import { type ServerReflectionRequest, ServerReflectionResponse, type ServerReflectionServer, ServerReflectionService } from '../wire/gen/grpc/reflection/v1/reflection.js'

// grpc.reflection.v1 from the descriptors that buf built, so that `buf curl` and grpcurl can describe and call every
// service. The npm package for it renames files and drops imports, which strict clients refuse.

type Index = { readonly files: ReadonlyMap<string, FileDescriptorProto>; readonly ofSymbol: ReadonlyMap<string, FileDescriptorProto> }

let index: Index | undefined

const indexed = (): Index =>
  (index ??= {
    files: new Map(descriptorFiles().map((file) => [file.name, file])),
    ofSymbol: new Map(descriptorFiles().flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file] as const))),
  })

const bytesOf = new Map<FileDescriptorProto, Buffer>()

/** What every error carries, so that a client can show it. */
const ERROR_DETAILS = 'google.rpc.ErrorInfo'

function symbolsOf(file: FileDescriptorProto): string[] {
  const full = (name: string) => (file.package ? `${file.package}.${name}` : name)
  const services = file.service.flatMap((service) => [service.name, ...service.method.map((method) => `${service.name}.${method.name}`)])
  const messages = file.messageType.flatMap((message) => [
    message.name,
    ...message.nestedType.map((nested) => `${message.name}.${nested.name}`),
    ...message.field.map((field) => `${message.name}.${field.name}`),
  ])
  return [...services, ...messages, ...file.enumType.map((type) => type.name)].map(full)
}

/** The file and everything that it imports, directly or not. */
function withImports(file: FileDescriptorProto, found = new Set<FileDescriptorProto>()): Set<FileDescriptorProto> {
  found.add(file)
  for (const name of file.dependency) {
    const imported = indexed().files.get(name)
    if (imported && !found.has(imported)) withImports(imported, found)
  }
  return found
}

/** Serves reflection of exactly the services that this server listens for, and of what their messages are made of. */
export function serveReflection(server: Server, services: readonly string[]): void {
  let shown: ReadonlySet<FileDescriptorProto> | undefined
  const implementation: ServerReflectionServer = {
    serverReflectionInfo(call) {
      call.on('data', (request: ServerReflectionRequest) => {
        // Who does not read its answers is not read from, so that they don't pile up here.
        if (call.write(answerTo(request, services, (shown ??= shownFor(services))))) return
        call.pause()
        call.once('drain', () => call.resume())
      })
      call.on('end', () => call.end())
    },
  }
  server.addService(ServerReflectionService, implementation)
}

function shownFor(services: readonly string[]): ReadonlySet<FileDescriptorProto> {
  const shown = new Set<FileDescriptorProto>()
  for (const symbol of [...services, ERROR_DETAILS]) {
    const file = indexed().ofSymbol.get(symbol)
    if (file) withImports(file, shown)
  }
  return shown
}

function answerTo(request: ServerReflectionRequest, services: readonly string[], shown: ReadonlySet<FileDescriptorProto>): ServerReflectionResponse {
  const answer = (messageResponse: ServerReflectionResponse['messageResponse']): ServerReflectionResponse =>
    ServerReflectionResponse.fromPartial({ validHost: request.host, originalRequest: request, messageResponse })
  const ifShown = (file: FileDescriptorProto | undefined) => (file && shown.has(file) ? file : undefined)
  const asked = request.messageRequest
  switch (asked?.$case) {
    case 'listServices':
      return answer({ $case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } })
    case 'fileContainingSymbol':
      return answer(filesOrError(ifShown(indexed().ofSymbol.get(asked.value)), asked.value))
    case 'fileByFilename':
      return answer(filesOrError(ifShown(indexed().files.get(asked.value)), asked.value))
    case 'fileContainingExtension':
    case 'allExtensionNumbersOfType':
    case undefined:
      return answer({ $case: 'errorResponse', value: { errorCode: status.NOT_FOUND, errorMessage: 'there are no extensions' } })
  }
}

function filesOrError(file: FileDescriptorProto | undefined, name: string): NonNullable<ServerReflectionResponse['messageResponse']> {
  if (!file) return { $case: 'errorResponse', value: { errorCode: status.NOT_FOUND, errorMessage: `not known: ${name}` } }
  const fileDescriptorProto = [...withImports(file)].map(bytesOfFile)
  return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto } }
}

function bytesOfFile(file: FileDescriptorProto): Buffer {
  const known = bytesOf.get(file)
  if (known) return known
  const bytes = Buffer.from(toBinary(FileDescriptorProtoSchema, file))
  bytesOf.set(file, bytes)
  return bytes
}
