import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js'

// grpc-js writes to standard error past our log, for example a header that it does not like together with its value, which
// may be a credential. What it has to say of our own doing comes to us as errors.
setLogVerbosity(logVerbosity.NONE)
