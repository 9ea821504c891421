import { BinaryWriter } from '@bufbuild/protobuf/wire'

type Encoder<Message> = { encode(message: Message, writer: BinaryWriter): BinaryWriter }

/** What grew larger than this is not kept for the next message. */
const KEPT_BYTES = 16_384

/**
 * Serializes by one writer, over and over, for answers that are given by the ten thousand: the generated serializer makes
 * a new one for each, which grows from nothing in steps, and copies its bytes twice.
 */
export function reusingWriter<Message>(type: Encoder<Message>): (message: Message) => Buffer {
  let writer: BinaryWriter | undefined
  return (message) => {
    // Taken while it is used: one that a message broke off in is not used again.
    const used = writer ?? new BinaryWriter()
    writer = undefined
    const bytes = type.encode(message, used).finish()
    if (bytes.length <= KEPT_BYTES) writer = used
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
}
