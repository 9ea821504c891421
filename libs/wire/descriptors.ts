import { createFileRegistry, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { image } from './gen/image.js'

/** The descriptors of every proto that this product serves, as buf built them, imports included. */
export const descriptorFiles = fromBinary(FileDescriptorSetSchema, image).file

export const descriptors = createFileRegistry(fromBinary(FileDescriptorSetSchema, image))
