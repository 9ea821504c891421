import { fromBinary } from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { image } from './gen/image.js'

let files: readonly FileDescriptorProto[] | undefined

/** The descriptors of every proto that this product serves, as buf built them, imports included. They are megabytes: made when somebody asks. */
export const descriptorFiles = (): readonly FileDescriptorProto[] => (files ??= fromBinary(FileDescriptorSetSchema, image).file)
